import { describe, expect, it } from "vitest";
import { cancelledBy, idKey, peek, progressOf, progressToken, protocolVersion } from "./envelope.ts";

describe("what is seen of a message", () => {
  it("tells requests, notifications and answers apart", () => {
    expect(peek('{"id":1,"method":"a"}')).toMatchObject({ kind: "request", id: 1, method: "a" });
    expect(peek('{"id":"1","method":"a"}')).toMatchObject({ kind: "request", id: "1" });
    expect(peek('{"method":"a","params":[1]}')).toMatchObject({ kind: "notification", params: [1] });
    expect(peek('{"id":1,"result":null}')).toMatchObject({ kind: "answer", id: 1 });
    expect(peek('{"id":null,"error":{}}')).toMatchObject({ kind: "answer", id: null });
  });

  it("is invalid where it is not one message that can be answered", () => {
    for (const text of ["", "{", "\u{feff}", "nul"])
      expect(peek(text)).toMatchObject({ kind: "invalid", code: -32700 });
    const wrong = [
      "null",
      "1",
      '"a"',
      "[]",
      '[{"method":"a"}]',
      "{}",
      '{"id":1}',
      '{"method":1}',
      '{"id":null,"method":"a"}',
      '{"id":{},"method":"a"}',
      '{"id":1e400,"method":"a"}',
      '{"result":1}',
      '{"id":true,"result":1}',
    ];
    for (const text of wrong)
      expect([text, peek(text)]).toMatchObject([text, { kind: "invalid", code: -32600 }]);
  });

  it("does not fall for nesting", () => {
    const text = `{"id":1,"method":"a","params":${"[".repeat(200_000)}${"]".repeat(200_000)}}`;
    expect(["request", "invalid"]).toContain(peek(text).kind);
  });
});

it("ids of different types are different", () => {
  expect(idKey(1)).not.toBe(idKey("1"));
  expect(idKey("a")).toBe(idKey("a"));
  expect(idKey('"1')).not.toBe(idKey("1"));
});

it("a version is a string, or none", () => {
  expect(protocolVersion({ protocolVersion: "2025-11-25" })).toBe("2025-11-25");
  for (const value of [undefined, null, 1, "2025-11-25", [], {}, { protocolVersion: 1 }])
    expect(protocolVersion(value)).toBeUndefined();
});

it("a progress token is a string or a number, in a request's _meta and in what tells of it", () => {
  for (const token of ["t", "", 0, 1.5]) {
    const params = { progressToken: token };
    expect(progressToken({ _meta: params })).toBe(token);
    expect(progressOf(peek(JSON.stringify({ method: "notifications/progress", params })))).toBe(token);
    for (const other of [{ method: "notifications/message" }, { method: "notifications/progress", id: 1 }])
      expect(progressOf(peek(JSON.stringify({ ...other, params })))).toBeUndefined();
  }
  for (const token of [undefined, null, true, {}, ["t"], Infinity])
    expect(progressToken({ _meta: { progressToken: token } })).toBeUndefined();
  for (const params of [undefined, null, "t", [], {}, { _meta: null }, { _meta: [] }, { progressToken: "t" }])
    expect(progressToken(params)).toBeUndefined();
  for (const params of ["", ',"params":null', ',"params":["t"]', ',"params":{"progressToken":null}'])
    expect(progressOf(peek(`{"method":"notifications/progress"${params}}`))).toBeUndefined();
});

it("a cancel is seen in each of its spellings", () => {
  const cancel = (method: string, params: unknown): unknown =>
    cancelledBy(peek(JSON.stringify({ method, params })));
  expect(cancel("notifications/cancelled", { requestId: 1 })).toBe(1);
  expect(cancel("$/cancelRequest", { id: "x" })).toBe("x");
  expect(cancel("$/cancel_request", { requestId: 2 })).toBe(2);
  expect(cancel("notifications/cancelled", { id: 1 })).toBeUndefined();
  expect(cancel("notifications/cancelled", [])).toBeUndefined();
  expect(cancel("constructor", { requestId: 1 })).toBeUndefined();
  expect(cancelledBy(peek('{"id":1,"method":"$/cancelRequest","params":{"id":1}}'))).toBeUndefined();
});
