import * as fc from "fast-check";
import { expect, it } from "vitest";
import { jsonrpc } from "./dialect.ts";
import { DecodeError } from "./error.ts";
import { MAX_STREAM, type ControlFrame, type DataFrame } from "./frame.ts";
import { bytesToJson, frameOf, frameToJson, itemToJson, partToJson } from "./frame-json.ts";
import { DATA_LIMIT, DECODE_LIMITS } from "./limits.ts";
import { parseMessage } from "./message.ts";
import { brief, bytes } from "./testing.ts";
import { utf8Length } from "./utf8.ts";

/** As a session reads it: a message first, then the frame in it. */
function read(text: string): unknown {
  const message = parseMessage(text, jsonrpc, DECODE_LIMITS);
  if (message.kind !== "notification") return message.kind;
  return brief(frameOf(message.method, message.params, text.length));
}
const dataOf = (params: unknown, length: number = 0): unknown =>
  brief(frameOf("$/stream/data", params, length));

const id = fc.integer({ min: 1, max: MAX_STREAM });
const text = fc.string({ unit: "binary" });
const code = fc.maxSafeNat();
const control = fc.oneof(
  fc.record({ type: fc.constantFrom("end" as const, "grant" as const), id, offset: fc.maxSafeNat() }),
  fc.record({ type: fc.constant("stop" as const), id, code, message: text }),
  fc.record({ type: fc.constant("reset" as const), id, code, message: text }),
  fc.record({
    type: fc.constant("reset" as const),
    id,
    code,
    message: text,
    data: fc.constantFrom(null, 0, [], { a: 1 }),
  }),
  fc.record({
    type: fc.constantFrom("ping" as const, "pong" as const),
    token: fc.string({
      unit: fc.constantFrom(..."0123456789abcdef".split("")),
      minLength: 16,
      maxLength: 16,
    }),
  }),
  fc.record({ type: fc.constant("drain" as const), call: fc.maxSafeNat(), reason: text }),
);

it("control frames are read as they were written", () => {
  fc.assert(
    fc.property(control, (frame) => {
      expect(read(frameToJson(frame as Exclude<ControlFrame, DataFrame>))).toEqual(frame);
    }),
    { numRuns: 300 },
  );
});

it("writes a frame as PROTOCOL F spells it", () => {
  expect(frameToJson({ type: "grant", id: 3, offset: 9 })).toBe(
    '{"jsonrpc":"2.0","method":"$/stream/grant","params":{"id":3,"offset":9}}',
  );
  expect(frameToJson({ type: "ping", token: "0123456789abcdef" })).toBe(
    '{"jsonrpc":"2.0","method":"$/ping","params":{"token":"0123456789abcdef"}}',
  );
  expect(bytesToJson(3, bytes("foo"), true)).toBe(
    '{"jsonrpc":"2.0","method":"$/stream/data","params":{"id":3,"bytes":"Zm9v","end":true}}',
  );
});

it("bytes are read as they were written", () => {
  fc.assert(
    fc.property(id, fc.uint8Array({ minLength: 1 }), fc.boolean(), (stream, payload, end) => {
      const plain = { type: "data", id: stream, item: false, more: false } as const;
      expect(read(bytesToJson(stream, payload, end))).toEqual({
        ...plain,
        size: payload.length,
        payload,
        end,
      });
    }),
  );
});

it("items and parts of items are read as they were written", () => {
  fc.assert(
    fc.property(id, fc.jsonValue(), fc.boolean(), (stream, value, end) => {
      const item = JSON.stringify(value);
      const size = utf8Length(item);
      const plain = { type: "data", id: stream, size, item: true, end } as const;
      const whole = { ...plain, payload: { value: JSON.parse(item) as unknown }, more: false };
      expect(read(itemToJson(stream, item, size, end))).toEqual(whole);
      for (const more of end ? [false] : [false, true])
        expect(read(partToJson(stream, item, more, end))).toEqual({ ...plain, payload: bytes(item), more });
    }),
  );
});

it("F2: a payload and a part are at most 64 KiB, and refused before they are decoded", () => {
  expect(read(bytesToJson(3, new Uint8Array(DATA_LIMIT), false))).toMatchObject({ size: DATA_LIMIT });
  expect(read(bytesToJson(3, new Uint8Array(DATA_LIMIT + 1), false))).toBe("F2 -32600 fatal");
  expect(read(bytesToJson(3, new Uint8Array(10_000_000), false))).toBe("F2 -32600 fatal");
  expect(read(partToJson(3, "é".repeat(DATA_LIMIT / 2), true, false))).toMatchObject({ size: DATA_LIMIT });
  expect(read(partToJson(3, `${"é".repeat(DATA_LIMIT / 2)}a`, true, false))).toBe("F2 -32600 fatal");
  expect(read(partToJson(3, "a".repeat(DATA_LIMIT + 1), true, false))).toBe("F2 -32600 fatal");
});

it("F2: a part that was cut inside a character is refused, not mended with U+FFFD", () => {
  expect(read(partToJson(3, '"\ud834', true, false))).toBe("F2 -32600 fatal");
  expect(read(partToJson(3, '\udd1e"', false, false))).toBe("F2 -32600 fatal");
});

it("F2a: data with nothing in it and an end inside an item are protocol errors", () => {
  const F2A = "F2a -32600 fatal";
  expect(read(bytesToJson(3, bytes(), false))).toBe(F2A);
  expect(read(bytesToJson(3, bytes(), true))).toMatchObject({ size: 0, end: true });
  expect(read(partToJson(3, "", true, false))).toBe(F2A);
  expect(read(partToJson(3, "", false, true))).toBe(F2A);
  expect(read(partToJson(3, "1", true, true))).toBe(F2A);
});

it("S5: an item states its size, and its message is at most twice that and 1 KiB", () => {
  const S5 = "S5 -32600 fatal";
  for (const size of [undefined, null, 0, -1, 1.5, "1", 2 ** 53])
    expect(dataOf({ id: 3, item: 1, size })).toBe(S5);
  expect(dataOf({ id: 3, item: 1, size: 1, bytes: "" })).toBe(S5);
  expect(dataOf({ id: 3, item: null, size: 4 })).toMatchObject({ payload: { value: null }, size: 4 });
  expect(dataOf({ id: 3, item: 1, size: 100 }, 2 * 100 + 1024)).toMatchObject({ size: 100 });
  expect(dataOf({ id: 3, item: 1, size: 100 }, 2 * 100 + 1025)).toBe(S5);
  const item = JSON.stringify("x".repeat(5000));
  expect(read(itemToJson(3, item, 100, false))).toBe(S5);
  expect(read(itemToJson(3, item, item.length, false))).toMatchObject({ size: item.length });
});

it.each([
  undefined,
  null,
  [],
  {},
  { id: 0, bytes: "AA==" },
  { id: -1, bytes: "AA==" },
  { id: 1.5, bytes: "AA==" },
  { id: "3", bytes: "AA==" },
  { id: MAX_STREAM + 1, bytes: "AA==" },
  { id: 3 },
  { id: 3, bytes: 1 },
  { id: 3, bytes: null },
  { id: 3, bytes: "AA=" },
  { id: 3, bytes: "A A=" },
  { id: 3, bytes: "AA==", end: 1 },
  { id: 3, bytes: "AA==", end: null },
  { id: 3, part: 1 },
  { id: 3, part: "1", more: 1 },
])("F1: data with %j is a protocol error", (params) => {
  expect(dataOf(params)).toBe("F1 -32600 fatal");
});

it("a malformed frame closes the session, whatever its type", () => {
  const methods = ["end", "reset", "stop", "grant"].map((type) => `$/stream/${type}`);
  for (const method of [...methods, "$/ping", "$/pong", "$/drain"])
    for (const params of [
      undefined,
      [],
      {},
      { id: 3 },
      { id: 0 },
      { token: "0123456789ABCDEF" },
      { call: -1 },
    ])
      expect(frameOf(method, params, 0)).toMatchObject({ fatal: true });
  for (const offset of [-1, 1.5, 2 ** 53, "1", null])
    expect(brief(frameOf("$/stream/grant", { id: 3, offset }, 0))).toBe("S5 -32600 fatal");
});

it("F3: a method that is no frame is none, whatever its name", () => {
  for (const method of [
    "$/unknown",
    "$/stream/message",
    "$/stream/",
    "__proto__",
    "constructor",
    "toString",
    "",
  ])
    expect(frameOf(method, {}, 0)).toBe(undefined);
});

it("any params are a frame or an error that closes the session", () => {
  const methods = fc.constantFrom("$/stream/data", "$/stream/end", "$/stream/reset", "$/ping", "$/drain");
  const member = fc.constantFrom(
    "id",
    "bytes",
    "item",
    "part",
    "size",
    "end",
    "more",
    "offset",
    "code",
    "message",
  );
  const value = fc.oneof(fc.constantFrom(1, 3, "AA==", true, false, "x"), fc.jsonValue());
  const params = fc.oneof(fc.dictionary(member, value), fc.constant(undefined), fc.array(value));
  fc.assert(
    fc.property(methods, params, fc.nat(3000), (method, given, length) => {
      const frame = frameOf(method, given, length);
      if (frame instanceof DecodeError) expect(frame.fatal).toBe(true);
      else expect(`$/stream/${frame?.type} $/${frame?.type}`).toContain(method);
    }),
    { numRuns: 1000 },
  );
});
