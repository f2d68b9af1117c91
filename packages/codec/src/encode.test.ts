import * as fc from "fast-check";
import { expect, it } from "vitest";
import { acp, codex, jsonrpc, lsp, mcp } from "./dialect.ts";
import { encodeError, encodeNotification, encodeRequest, encodeResult } from "./encode.ts";
import { DECODE_LIMITS } from "./limits.ts";
import { parseMessage } from "./message.ts";

const dialects = [jsonrpc, lsp, acp, mcp, codex];

it("writes the four kinds of message, members in the usual order", () => {
  expect(encodeRequest(jsonrpc, 1, "sum", [1, 2])).toBe(
    '{"jsonrpc":"2.0","id":1,"method":"sum","params":[1,2]}',
  );
  expect(encodeNotification(jsonrpc, "tick", undefined)).toBe('{"jsonrpc":"2.0","method":"tick"}');
  expect(encodeResult(jsonrpc, "a", 3)).toBe('{"jsonrpc":"2.0","id":"a","result":3}');
  expect(encodeError(jsonrpc, null, { code: -32700, message: "Parse error" })).toBe(
    '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error"}}',
  );
});

it("leaves out the version where the dialect does", () => {
  expect(encodeRequest(codex, 1, "sum", {})).toBe('{"id":1,"method":"sum","params":{}}');
  expect(encodeNotification(codex, "tick", [])).toBe('{"method":"tick","params":[]}');
  expect(encodeResult(codex, 1, null)).toBe('{"id":1,"result":null}');
  expect(encodeError(codex, 1, { code: 1, message: "no" })).toBe(
    '{"id":1,"error":{"code":1,"message":"no"}}',
  );
});

it("C5: puts the extras beside JSON-RPC's own members", () => {
  expect(encodeRequest(jsonrpc, 1, "sum", [], { traceparent: "00-a-b-01", deadline: 5 })).toBe(
    '{"jsonrpc":"2.0","id":1,"method":"sum","params":[],"traceparent":"00-a-b-01","deadline":5}',
  );
});

it("an answer always has a result, even where toJSON leaves nothing", () => {
  for (const nothing of [undefined, null, { toJSON: () => undefined }, { toJSON: () => () => 1 }])
    expect(encodeResult(jsonrpc, 1, nothing)).toBe('{"jsonrpc":"2.0","id":1,"result":null}');
});

it("throws where JSON cannot say it, before anything is written", () => {
  const cycle: unknown[] = [];
  cycle.push(cycle);
  let deep: unknown[] = [];
  for (let i = 0; i < 200_000; i++) deep = [deep];
  const getter = {
    get value(): never {
      throw new RangeError("from the getter");
    },
  };
  for (const [bad, kind] of [
    [1n, TypeError],
    [[1n], TypeError],
    [cycle, TypeError],
    [getter, RangeError],
  ] as const) {
    expect(() => encodeRequest(jsonrpc, 1, "m", bad)).toThrow(kind);
    expect(() => encodeNotification(jsonrpc, "m", bad)).toThrow(kind);
    expect(() => encodeResult(jsonrpc, 1, bad)).toThrow(kind);
    expect(() => encodeError(jsonrpc, 1, { code: 1, message: "", data: bad })).toThrow(kind);
  }
  expect(() => encodeResult(jsonrpc, 1, () => 1)).toThrow(TypeError);
  expect(() => encodeResult(jsonrpc, 1, Symbol("s"))).toThrow(TypeError);
  // Engines differ in how deep they go, but none gets stuck and none throws anything else.
  try {
    encodeResult(jsonrpc, 1, deep);
  } catch (error) {
    expect(error).toBeInstanceOf(RangeError);
  }
});

const json = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown);
const params = fc.oneof(fc.constant(undefined), fc.array(json), fc.dictionary(fc.string(), json));
const id = fc.oneof(fc.integer({ min: 0 }), fc.string({ maxLength: 20 }));
const method = fc.string({ maxLength: 40 });

it("what is written is read again as the same, in every dialect", () => {
  fc.assert(
    fc.property(fc.constantFrom(...dialects), id, method, params, json, (dialect, i, m, p, value) => {
      const read = (text: string): unknown => parseMessage(text, dialect, DECODE_LIMITS);
      const back = p === undefined ? undefined : (JSON.parse(JSON.stringify(p)) as unknown);
      expect(read(encodeRequest(dialect, i, m, p))).toMatchObject({ kind: "request", id: i, method: m });
      expect(read(encodeNotification(dialect, m, p))).toMatchObject({ kind: "notification", method: m });
      expect((read(encodeRequest(dialect, i, m, p)) as { params: unknown }).params).toEqual(back);
      expect(read(encodeResult(dialect, i, value))).toEqual({ kind: "result", id: i, result: value });
      const error = value === undefined ? { code: 1, message: m } : { code: 1, message: m, data: value };
      expect(read(encodeError(dialect, i, error))).toEqual({ kind: "error", id: i, error });
    }),
  );
});
