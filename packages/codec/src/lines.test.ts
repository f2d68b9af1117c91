import * as fc from "fast-check";
import { expect, it } from "vitest";
import { ByteQueue } from "./byte-queue.ts";
import { DecodeError } from "./error.ts";
import { Lines } from "./lines.ts";
import { bytes, cut, everySplit, feed, readAll, type Part } from "./testing.ts";

const MAX = 16;
const lines = (max: number = MAX): Lines => new Lines({ message: max });
const read = (...parts: readonly Part[]): unknown[] => readAll(lines(), [bytes(...parts)]);

const BOM = [0xef, 0xbb, 0xbf];
const NOT_UTF8 = "RFC 8259 8.1 -32700";
const TOO_LONG = "limits.message -32600";

it("reads the same wherever the bytes are cut", () => {
  const input = bytes(
    BOM,
    '"é€𝄞"\r\n\n\r\n[1]\n',
    [0xff],
    "\n",
    "x".repeat(MAX),
    "\n",
    "y".repeat(99),
    "\nz\n",
  );
  const expected = ['"é€𝄞"', "[1]", NOT_UTF8, "x".repeat(MAX), TOO_LONG, "z"];
  for (const chunks of everySplit(input)) expect(readAll(lines(), chunks)).toEqual(expected);
});

it("reads many lines of one chunk, the last one when its LF comes", () => {
  const many = Array.from({ length: 10_000 }, (_, i) => `{"id":${i}}`);
  const reader = lines();
  expect(readAll(reader, [bytes(`${many.join("\n")}\n`)])).toEqual(many);
  expect(readAll(lines(), [bytes("a\nb")])).toEqual(["a"]);
});

it("a bad line costs no good one of its chunk, before or after it", () => {
  const bad = [0xff, 0x0a];
  expect(read("a\n", bad, "b\n")).toEqual(["a", NOT_UTF8, "b"]);
  expect(read(bad, "a\n", "b\n")).toEqual([NOT_UTF8, "a", "b"]);
  expect(read("a\n", "b\n", bad)).toEqual(["a", "b", NOT_UTF8]);
  expect(read("a\n", "x".repeat(99), "\nb\n")).toEqual(["a", TOO_LONG, "b"]);
});

it("passes over empty lines in silence, and takes one CR off the end", () => {
  expect(read("\n\r\n\n")).toEqual([]);
  expect(read("a\r\nb\n\rc\r\r\n")).toEqual(["a", "b", "\rc\r"]);
});

it("a byte order mark is dropped at the very start, and nowhere else", () => {
  expect(read(BOM, "a\n", BOM, "b\n")).toEqual(["a", "\ufeffb"]);
  expect(read("\n", BOM, "b\n")).toEqual(["\ufeffb"]);
  expect(read(BOM, BOM, "b\n")).toEqual(["\ufeffb"]);
  expect(read(BOM, "\nb\n")).toEqual(["b"]);
  expect(read("x".repeat(99), "\n", BOM, "b\n")).toEqual([TOO_LONG, "\ufeffb"]);
  expect(read(BOM.slice(0, 2), "\nb\n")).toEqual([NOT_UTF8, "b"]);
});

it("invalid UTF-8 is refused, never replaced", () => {
  for (const bad of [[0xff, 0xfe], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xe2, 0x82], [0x80]])
    expect(read('"', bad, '"\n', "ok\n")).toEqual([NOT_UTF8, "ok"]);
  const utf16 = Array.from('{"a":1}\n', (c) => [c.charCodeAt(0), 0]).flat();
  expect(read([0xff, 0xfe], utf16)).toEqual([NOT_UTF8]);
});

it("takes a line of the limit, and refuses one of a byte more as soon as it is there", () => {
  for (const chunks of everySplit(bytes("x".repeat(MAX), "\n")))
    expect(readAll(lines(), chunks)).toEqual(["x".repeat(MAX)]);
  for (const chunks of everySplit(bytes("x".repeat(MAX + 1), "\n")))
    expect(readAll(lines(), chunks)).toEqual([TOO_LONG]);
  expect(readAll(lines(), [bytes("x".repeat(MAX + 1))])).toEqual([TOO_LONG]);
});

it("reports a line without end once, keeps none of it, and reads on after it", () => {
  const reader = lines();
  const endless = Array.from({ length: 1000 }, () => bytes("x".repeat(100)));
  const { read: got, held } = feed(reader, [...endless, bytes("\nok\n")]);
  expect(got.length).toBe(2);
  expect((got[0] as DecodeError).excerpt()).toBe("x".repeat(80));
  expect(got[1]).toBe("ok");
  expect(held).toBeLessThanOrEqual(MAX);
});

it("knows when an end of input cuts a line it is dropping", () => {
  const reader = lines();
  expect(reader.partial).toBe(false);
  feed(reader, [bytes("x".repeat(99))]);
  expect(reader.partial).toBe(true);
  feed(reader, [bytes("\n")]);
  expect(reader.partial).toBe(false);
});

it("10 MB in single bytes cost one look at each", () => {
  const size = 10_000_000;
  function* single(length: number): Generator<Uint8Array> {
    const byte = bytes("x");
    for (let i = 0; i < length; i++) yield byte;
    yield bytes("\n");
  }
  const whole = feed(lines(size), single(size));
  expect(whole.read.map((line) => (line as string).length)).toEqual([size]);
  const refused = feed(lines(1_000_000), single(3_000_000));
  expect(refused.read.length).toBe(1);
  expect(refused.held).toBe(1_000_000);
});

it("10 MB in chunks of a packet cost no more", () => {
  const chunks = Array.from({ length: 7000 }, () => new Uint8Array(1460).fill(0x78));
  expect(readAll(lines(2 ** 24), [...chunks, bytes("\n")])).toHaveLength(1);
});

it("gives back what it has not read, byte for byte", () => {
  const input = bytes("\n\n", "é€𝄞\r\n", "one\n", "\n", "𝄞\n", [0xff]);
  const queue = new ByteQueue();
  queue.push(input);
  const reader = lines(1000);
  expect(reader.read(queue)).toBe("é€𝄞");
  expect(reader.read(queue)).toBe("one");
  queue.unshift(reader.unread());
  expect(queue.take(queue.length)).toEqual(bytes("\n𝄞\n", [0xff]));
  expect(reader.unread()).toEqual(bytes());
});

it("a chunk whose lines are bad costs one look at each", () => {
  const bad = Array.from({ length: 200_000 }, () => [0xff, 0x0a]).flat();
  expect(readAll(lines(2 ** 20), [bytes("first\n", bad)])).toHaveLength(200_001);
});

it.each([MAX, 1000])(
  "any bytes, cut anyhow: text or an error for each line, and never more held than %d",
  (max) => {
    const byte = fc.oneof(fc.constantFrom(0x0a, 0x0d, 0xef, 0xbb, 0xbf, 0x61), fc.nat(255));
    const some = fc.oneof(
      fc.array(byte, { maxLength: 20 }),
      fc.constantFrom(...["é", "€", "𝄞", "\n"].map((one) => [...bytes(one)])),
    );
    const input = fc.array(some, { maxLength: 20 }).map((all) => Uint8Array.from(all.flat()));
    fc.assert(
      fc.property(input, fc.array(fc.integer({ min: 1, max: 30 })), (all, sizes) => {
        const { read: got, held } = feed(lines(max), cut(all, sizes));
        expect(got).toSatisfy((values: unknown[]) =>
          values.every((one) =>
            typeof one === "string"
              ? one !== "" && !one.includes("\n")
              : one instanceof DecodeError && !one.fatal,
          ),
        );
        expect(held).toBeLessThanOrEqual(max);
        expect(readAll(lines(max), [all])).toEqual(readAll(lines(max), cut(all, sizes)));
      }),
      { numRuns: 500 },
    );
  },
);
