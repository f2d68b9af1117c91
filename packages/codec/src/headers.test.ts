import * as fc from "fast-check";
import { expect, it } from "vitest";
import { DecodeError } from "./error.ts";
import { Headers } from "./headers.ts";
import { brief, bytes, cut, everySplit, feed, readAll, type Part } from "./testing.ts";

const MAX = 1000;
const HEADER = 256;
const headers = (): Headers => new Headers({ message: MAX, header: HEADER });
const read = (...parts: readonly Part[]): unknown[] => readAll(headers(), [bytes(...parts)]);
const message = (body: string): string => `Content-Length: ${bytes(body).length}\r\n\r\n${body}`;

const FATAL = "LSP base protocol -32700 fatal";
const NOT_UTF8 = "RFC 8259 8.1 -32700";

it("reads the same wherever the bytes are cut", () => {
  const input = bytes(
    message('{"a":"é€𝄞"}'),
    "content-length:2\r\nContent-Type: application/vscode-jsonrpc; charset=utf-8\r\n\r\n[]",
    "X-Other: anything\r\nCONTENT-LENGTH: 0003 \r\n\r\n",
    [0xff, 0xff, 0xff],
    message(""),
    message("last"),
  );
  const expected = ['{"a":"é€𝄞"}', "[]", NOT_UTF8, "", "last"];
  for (const chunks of everySplit(input)) expect(readAll(headers(), chunks)).toEqual(expected);
});

it("reads many messages of one chunk", () => {
  const many = Array.from({ length: 1000 }, (_, i) => `{"id":${i}}`);
  expect(read(many.map(message).join(""))).toEqual(many);
});

it("writes what it reads", () => {
  const writer = headers();
  expect(`${writer.prefix(4)}text${writer.suffix}`).toBe(message("text"));
});

it.each(["-1", "NaN", "1.0", "0x10", "1e3", "+5", "5 5", "5,5", "", "five", "٥", "99999999999999999999"])(
  "a Content-Length of %j is fatal at once",
  (length) => {
    for (const chunks of everySplit(bytes(`Content-Length: ${length}\r\n\r\n`)))
      expect(readAll(headers(), chunks)).toEqual([FATAL]);
  },
);

it.each([
  ["no Content-Length", "Content-Type: text/plain\r\n\r\n"],
  ["Content-Length twice", "Content-Length: 2\r\ncontent-length: 2\r\n\r\n[]"],
  ["a space before the colon", "Content-Length : 2\r\n\r\n[]"],
  ["LF alone at the end of a line", "Content-Length: 2\n\n[]"],
  ["a line without a colon", "Content-Length\r\n\r\n[]"],
  ["a folded line", "Content-Length: 2\r\n 2\r\n\r\n[]"],
  ["an empty block", "\r\n\r\n"],
  ["another charset", "Content-Length: 2\r\nContent-Type: x; charset=utf-16le\r\n\r\n[]"],
  ["more than 32 lines", "X: 1\r\n".repeat(33)],
  ["a block without an end", `${`X: ${"1".repeat(60)}\r\n`.repeat(4)}X`],
  ["a line without an end", "X".repeat(HEADER + 1)],
])("%s is fatal", (_, text) => {
  for (const chunks of everySplit(bytes(text))) expect(readAll(headers(), chunks)).toEqual([FATAL]);
});

it.each(["utf-8", "utf8", "UTF-8", '"utf-8"'])("charset %s is spoken", (charset) => {
  expect(
    read(`Content-Type: application/vscode-jsonrpc;charset=${charset}\r\nContent-Length: 2\r\n\r\n[]`),
  ).toEqual(["[]"]);
});

it("takes a header block of the limit, and refuses one of a byte more", () => {
  const block = (size: number): string => {
    const rest = "Content-Length: 2\r\n\r\n";
    return `X:${"1".repeat(size - rest.length - 4)}\r\n${rest}[]`;
  };
  expect(read(block(HEADER))).toEqual(["[]"]);
  for (const chunks of everySplit(bytes(block(HEADER + 1))))
    expect(readAll(headers(), chunks)).toEqual([FATAL]);
});

it("takes a body of the limit, and refuses one of a byte more before any of it is there", () => {
  expect(read(message("x".repeat(MAX)))).toEqual(["x".repeat(MAX)]);
  for (const length of [MAX + 1, 2 ** 30, 999_999_999_999_999])
    expect(read(`Content-Length: ${length}\r\n\r\n`)).toEqual(["limits.message -32013 fatal"]);
});

it("a Content-Length one short or one long is fatal at the next header", () => {
  expect(read("Content-Length: 3\r\n\r\n[10]", message("[2]"))).toEqual(["[10", FATAL]);
  expect(read("Content-Length: 5\r\n\r\n[10]", message("[2]"))).toEqual(["[10]C", FATAL]);
});

it("a line of a log is fatal from its first characters, and quoted", () => {
  const { read: got } = feed(headers(), [bytes(message("[1]"), "Debugger listening on \u001b[1m")]);
  expect(got[0]).toBe("[1]");
  expect((got[1] as DecodeError).excerpt()).toBe("Debugger listening on \\u001b[1m");
  expect(readAll(headers(), cut(bytes("Debugger listening"), [1]))).toEqual([FATAL]);
  expect(readAll(headers(), cut(bytes('{"jsonrpc":"2.0"}'), [1]))).toEqual([FATAL]);
  expect(read("Warning: x\n")).toEqual([FATAL]);
  expect(read([0xef, 0xbb, 0xbf], message("[]"))).toEqual([FATAL]);
  expect(read([0xff, 0xfe], "C\0o\0")).toEqual([FATAL]);
});

it("knows when an end of input cuts a message, though nothing may be left over", () => {
  const reader = headers();
  expect(reader.partial).toBe(false);
  feed(reader, [bytes("Content-Length: 2\r\n")]);
  expect(reader.partial).toBe(true);
  feed(reader, [bytes("\r\n")]);
  expect(reader.partial).toBe(true);
  feed(reader, [bytes("[]")]);
  expect(reader.partial).toBe(false);
});

it("10 MB of a body in single bytes cost one look at each", () => {
  const size = 10_000_000;
  const reader = new Headers({ message: size, header: HEADER });
  function* single(): Generator<Uint8Array> {
    yield bytes(`Content-Length: ${size}\r\n\r\n`);
    const byte = bytes("x");
    for (let i = 0; i < size; i++) yield byte;
  }
  expect(feed(reader, single()).read.map((body) => (body as string).length)).toEqual([size]);
});

// Totality.

const { assert } = fc;

const sizes = fc.array(fc.integer({ min: 1, max: 40 }));
function holds(input: Uint8Array, cuts: readonly number[]): void {
  const { read: got, held } = feed(headers(), cut(input, cuts));
  for (const one of got) expect(typeof one === "string" || one instanceof DecodeError).toBe(true);
  expect(held).toBeLessThanOrEqual(MAX);
  // Where the bytes are cut changes nothing but the words.
  expect(got.map(brief)).toEqual(readAll(headers(), [input]));
}

it("any bytes: text or an error, and never more held than the limit", () => {
  assert(fc.property(fc.uint8Array({ maxLength: 300 }), sizes, (input, cuts) => holds(input, cuts)));
});

it("valid input with any of its bytes changed is read to an end too", () => {
  const valid = bytes(
    message("[1]"),
    "Content-Type: a; charset=utf-8\r\n",
    message('{"a":"é"}'),
    message(""),
  );
  const edit = fc.tuple(fc.nat(valid.length), fc.nat(3), fc.uint8Array({ maxLength: 3 }));
  assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), sizes, (edits, cuts) => {
      let input = valid;
      for (const [at, gone, put] of edits)
        input = bytes(input.subarray(0, at), put, input.subarray(at + gone));
      holds(input, cuts);
    }),
    { numRuns: 1000 },
  );
});
