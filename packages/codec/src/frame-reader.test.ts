import * as fc from "fast-check";
import { expect, it } from "vitest";
import { DecodeError } from "./error.ts";
import {
  FRAME_TYPE,
  HEADER,
  MAX_STREAM,
  type ControlFrame,
  type DataFrame,
  type FrameType,
} from "./frame.ts";
import { FrameReader } from "./frame-reader.ts";
import { CONTROL_LIMIT, DATA_LIMIT } from "./limits.ts";
import { brief, bytes, cut, everySplit, feed, join, readAll } from "./testing.ts";

const MAX = 100_000;
const reader = (): FrameReader => new FrameReader({ message: MAX });
const read = (...chunks: readonly Uint8Array[]): unknown[] => readAll(reader(), chunks);

interface Head {
  readonly length?: number;
  readonly flags?: number;
  readonly reserved?: number;
  readonly id?: number;
}

/** F1, written once more and by hand: a header, and a payload that is as long as it says unless told otherwise. */
function frame(type: FrameType | number, payload: Uint8Array | string, head: Head = {}): Uint8Array {
  const body = bytes(payload);
  const header = new DataView(new ArrayBuffer(HEADER));
  header.setUint32(0, head.length ?? body.length);
  header.setUint8(4, typeof type === "number" ? type : FRAME_TYPE[type]);
  header.setUint8(5, head.flags ?? 0);
  header.setUint16(6, head.reserved ?? 0);
  header.setUint32(8, head.id ?? 0);
  return bytes(new Uint8Array(header.buffer), body);
}
function u64(value: bigint): Uint8Array {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, value);
  return new Uint8Array(view.buffer);
}
const json = (value: unknown): string => JSON.stringify(value);

const F1 = "F1 -32600 fatal";
const F2 = "F2 -32600 fatal";
const F2A = "F2a -32600 fatal";
const F4 = "F4 -32013 fatal";
const NOT_UTF8 = "RFC 8259 8.1 -32700";

const one = {
  message: frame("message", '{"é":"𝄞"}'),
  data: frame("data", "bytes", { id: 3 }),
  last: frame("data", "bytes", { id: 3, flags: 1 }),
  item: frame("data", "[1]", { id: 3, flags: 2 }),
  part: frame("data", "[1", { id: 3, flags: 6 }),
  end: frame("end", u64(5n), { id: 3 }),
  grant: frame("grant", u64(2n ** 53n - 1n), { id: MAX_STREAM }),
  reset: frame("reset", json({ code: 1000, message: "m", data: { a: [1] } }), { id: 3 }),
  stop: frame("stop", json({ code: 0, message: "" }), { id: 3 }),
  ping: frame("ping", bytes([0, 1, 2, 3, 0xfc, 0xfd, 0xfe, 0xff])),
  pong: frame("pong", bytes([0, 0, 0, 0, 0, 0, 0, 0])),
  drain: frame("drain", json({ call: 7, reason: "bye" })),
};
const data = (payload: string, more: Partial<DataFrame> = {}): DataFrame => {
  const plain = { type: "data", id: 3, item: false, more: false, end: false } as const;
  return { ...plain, size: payload.length, payload: bytes(payload), ...more };
};

it("F1: reads each type of frame", () => {
  expect(Object.values(one).map((input) => read(input))).toEqual([
    ['{"é":"𝄞"}'],
    [data("bytes")],
    [data("bytes", { end: true })],
    [data("[1]", { item: true })],
    [data("[1", { item: true, more: true })],
    [{ type: "end", id: 3, offset: 5 }],
    [{ type: "grant", id: MAX_STREAM, offset: 2 ** 53 - 1 }],
    [{ type: "reset", id: 3, code: 1000, message: "m", data: { a: [1] } }],
    [{ type: "stop", id: 3, code: 0, message: "" }],
    [{ type: "ping", token: "00010203fcfdfeff" }],
    [{ type: "pong", token: "0000000000000000" }],
    [{ type: "drain", call: 7, reason: "bye" }],
  ]);
});

it("F6: frames follow each other directly, and may be cut anywhere", () => {
  const whole = Object.values(one).filter((input) => input !== one.data && input !== one.last);
  const input = join(whole);
  const expected = read(input);
  expect(expected.length).toBe(whole.length);
  for (const chunks of everySplit(input)) expect(read(...chunks)).toEqual(expected);
});

it("hands on a byte stream's data in the pieces it comes in, the end with the last", () => {
  for (const chunks of everySplit(one.last)) {
    const pieces = read(...chunks) as DataFrame[];
    expect(join(pieces.map((piece) => piece.payload as Uint8Array))).toEqual(bytes("bytes"));
    expect(pieces.map((piece) => piece.end)).toEqual(pieces.map((_, i) => i === pieces.length - 1));
    expect(
      pieces.every((piece) => piece.size === (piece.payload as Uint8Array).length && piece.size > 0),
    ).toBe(true);
  }
});

it("data comes as views of the chunks, not as copies", () => {
  const [piece] = read(one.data) as [DataFrame];
  expect((piece.payload as Uint8Array).buffer).toBe(one.data.buffer);
});

it("F2a: the end may come alone", () => {
  expect(read(frame("data", "", { id: 3, flags: 1 }))).toEqual([data("", { end: true })]);
});

it.each([
  ["message", { id: 1 }],
  ["message", { flags: 1 }],
  ["data", { id: 0 }],
  ["data", { id: MAX_STREAM + 1 }],
  ["data", { id: 2 ** 32 - 1 }],
  ["data", { id: 3, flags: 8 }],
  ["data", { id: 3, flags: 0x80 }],
  ["end", { id: 0 }],
  ["end", { id: 3, flags: 1 }],
  ["grant", { id: 0 }],
  ["reset", { id: 0 }],
  ["stop", { id: 0 }],
  ["stop", { id: 3, flags: 2 }],
  ["ping", { id: 3 }],
  ["pong", { id: 3 }],
  ["drain", { id: 3 }],
  ["drain", { flags: 1 }],
] as const)("F1: a %s frame with %o is a protocol error", (type, head) => {
  for (const chunks of everySplit(frame(type, "12345678", head))) expect(read(...chunks)).toEqual([F1]);
});

it("F1: reserved bits are a protocol error on every type", () => {
  for (const type of Object.keys(FRAME_TYPE) as FrameType[])
    for (const reserved of [1, 0x100, 0x8000])
      expect(read(frame(type, "12345678", { id: 3, reserved }))).toEqual([F1]);
});

it.each([
  ["end", ""],
  ["end", "1234567"],
  ["grant", "123456789"],
  ["reset", ""],
  ["reset", "null"],
  ["reset", "[]"],
  ["reset", "{"],
  ["reset", json({ code: 1 })],
  ["reset", json({ message: "m" })],
  ["stop", json({ code: -1, message: "m" })],
  ["stop", json({ code: 1.5, message: "m" })],
  ["stop", json({ code: "1", message: "m" })],
  ["stop", json({ code: 1, message: 1 })],
] as const)("F1: a %s frame that holds %j is a protocol error", (type, payload) => {
  expect(read(frame(type, payload, { id: 3 }))).toEqual([F1]);
});

it("F1: so is a ping that is not 8 bytes, and a drain that says nothing", () => {
  for (const payload of ["", "1234567", "123456789"]) {
    expect(read(frame("ping", payload))).toEqual([F1]);
    expect(read(frame("pong", payload))).toEqual([F1]);
  }
  expect(read(frame("drain", ""))).toEqual([F1]);
  for (const params of [{}, { call: 1 }, { call: -1, reason: "" }, { call: "1", reason: "" }])
    expect(read(frame("drain", json(params)))).toEqual(["C6 -32600 fatal"]);
});

it("S5: an offset past 2^53-1 is refused, never rounded", () => {
  for (const type of ["end", "grant"] as const)
    for (const offset of [2n ** 53n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n])
      expect(read(frame(type, u64(offset), { id: 3 }))).toEqual(["S5 -32600 fatal"]);
});

it("F2: a data payload is at most 64 KiB, of bytes as of items", () => {
  for (const flags of [0, 1, 2, 6]) {
    const most = read(frame("data", new Uint8Array(DATA_LIMIT), { id: 3, flags })) as DataFrame[];
    expect(most.map((piece) => piece.size)).toEqual([DATA_LIMIT]);
    expect(read(frame("data", "", { id: 3, flags, length: DATA_LIMIT + 1 }))).toEqual([F2]);
  }
});

it("F2a: data with nothing in it, a part of no item and an end inside an item are protocol errors", () => {
  for (const flags of [0, 2, 3, 6]) expect(read(frame("data", "", { id: 3, flags }))).toEqual([F2A]);
  for (const flags of [4, 5, 7]) expect(read(frame("data", "x", { id: 3, flags }))).toEqual([F2A]);
});

it("F3: an unknown type with bit 0x80 is skipped, wherever it is cut; one without is a protocol error", () => {
  for (const type of [0x80, 0x81, 0xff]) {
    const unknown = frame(type, "whatever", { flags: 0xff, reserved: 0xffff, id: 2 ** 32 - 1 });
    const input = join([unknown, one.message, frame(type, ""), unknown, one.ping]);
    for (const chunks of everySplit(input))
      expect(read(...chunks)).toEqual(['{"é":"𝄞"}', { type: "ping", token: "00010203fcfdfeff" }]);
  }
  for (const type of [9, 10, 0x7f]) expect(read(frame(type, ""))).toEqual(["F3 -32600 fatal"]);
});

it("F3: what is skipped is not kept", () => {
  const unknown = frame(0x80, new Uint8Array(MAX));
  expect(feed(reader(), cut(unknown, [1000])).held).toBeLessThan(HEADER);
});

it("F4: a length above the limit is refused before anything is buffered", () => {
  const over = 2 ** 32 - 1;
  for (const length of [MAX + 1, over]) {
    expect(read(frame("message", "", { length }))).toEqual([F4]);
    expect(read(frame(0x80, "", { length }))).toEqual([F4]);
  }
  for (const type of ["end", "reset", "stop", "grant"] as const)
    for (const length of [CONTROL_LIMIT + 1, over])
      expect(read(frame(type, "", { length, id: 3 }))).toEqual([F4]);
  for (const type of ["ping", "pong", "drain"] as const)
    expect(read(frame(type, "", { length: CONTROL_LIMIT + 1 }))).toEqual([F4]);
});

it("F4: a message and a control frame of just the limit are taken", () => {
  expect(read(frame("message", "x".repeat(MAX)))).toEqual(["x".repeat(MAX)]);
  const room = CONTROL_LIMIT - json({ code: 1, message: "" }).length;
  const stop = json({ code: 1, message: "m".repeat(room) });
  expect(read(frame("stop", stop, { id: 3 }))).toMatchObject([{ type: "stop" }]);
});

it("a message that is not UTF-8 is one bad message: the frames after it are read", () => {
  expect(read(join([frame("message", bytes([0xff])), one.message]))).toEqual([NOT_UTF8, '{"é":"𝄞"}']);
  expect(read(frame("stop", bytes('{"code":1,"message":"', [0xff], '"}'), { id: 3 }))).toEqual([F1]);
});

it("errors quote the header that was wrong, and their message nothing of the peer's", () => {
  const [error] = feed(reader(), [frame("data", "secret", { id: 3, flags: 8 })]).read as [DecodeError];
  expect(error.message).not.toContain("secret");
  expect(error.excerpt()).toContain("secret");
});

it("knows when an end of input cuts a frame", () => {
  for (const input of [one.data, frame(0x80, "unknown")]) {
    const cutShort = reader();
    feed(cutShort, [input.subarray(0, HEADER + 2)]);
    expect(cutShort.partial).toBe(true);
    feed(cutShort, [input.subarray(HEADER + 2)]);
    expect(cutShort.partial).toBe(false);
  }
});

// Totality.

const { assert } = fc;

function inContract(value: unknown): boolean {
  if (typeof value === "string" || value instanceof DecodeError) return true;
  const got = value as ControlFrame;
  const hasId = "id" in got && Number.isInteger(got.id) && got.id >= 1 && got.id <= MAX_STREAM;
  switch (got.type) {
    case "ping":
    case "pong":
      return /^[0-9a-f]{16}$/.test(got.token);
    case "drain":
      return Number.isSafeInteger(got.call);
    case "end":
    case "grant":
      return hasId && Number.isSafeInteger(got.offset);
    case "reset":
    case "stop":
      return hasId && Number.isSafeInteger(got.code);
    default: {
      const filled = got.size > 0 || (got.end && !got.item);
      return hasId && filled && got.size === (got.payload as Uint8Array).length && !(got.more && got.end);
    }
  }
}

const sizes = fc.array(fc.integer({ min: 1, max: 60 }));
function holds(input: Uint8Array, cuts: readonly number[]): void {
  const { read: got, held } = feed(reader(), cut(input, cuts));
  expect(got.every(inContract)).toBe(true);
  expect(held).toBeLessThanOrEqual(MAX + HEADER);
  // Pieces apart, it does not matter where the bytes are cut.
  const rest = (values: readonly unknown[]): unknown[] =>
    values.map(brief).filter((value) => (value as DataFrame).type !== "data" || (value as DataFrame).item);
  expect(rest(got)).toEqual(rest(feed(reader(), [input]).read));
}

it("any bytes are frames or an error", () => {
  assert(fc.property(fc.uint8Array({ maxLength: 200 }), sizes, holds), { numRuns: 500 });
});

it("any header is a frame or an error", () => {
  const byte = fc.oneof(fc.nat(9), fc.nat(255));
  const head = fc.tuple(fc.nat(40), byte, fc.nat(8), fc.oneof(fc.constant(0), fc.nat(65535)), fc.nat(4));
  const frames = fc.array(fc.tuple(head, fc.uint8Array({ maxLength: 40 })), { maxLength: 5 });
  assert(
    fc.property(frames, sizes, (all, cuts) => {
      const written = all.map(([[length, type, flags, reserved, id], body]) =>
        frame(type, body, { length: length < 20 ? body.length : length, flags, reserved, id }),
      );
      holds(join(written), cuts);
    }),
    { numRuns: 500 },
  );
});

it("valid frames with any of their bytes changed are frames or an error", () => {
  const valid = join(Object.values(one));
  const edit = fc.tuple(fc.nat(valid.length), fc.nat(3), fc.uint8Array({ maxLength: 3 }));
  assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), sizes, (edits, cuts) => {
      let input = valid;
      for (const [at, gone, put] of edits)
        input = bytes(input.subarray(0, at), put, input.subarray(at + gone));
      holds(input, cuts);
    }),
    { numRuns: 500 },
  );
});
