import { acp, codex, Headers, jsonrpc, lsp, mcp, type Dialect } from "@sluice/codec";
import { describe, expect, it } from "vitest";
import { Scripted } from "./scripted.ts";
import { Pair, TestStream } from "./testing.ts";

const foreign = [lsp, acp, mcp, codex];

describe.each(foreign.map((dialect) => [dialect.name, dialect] as const))("%s", (_, dialect: Dialect) => {
  const options = { dialect };

  it("H5: two of them call each other, cancel and end, and nothing of ours is on the wire", () => {
    const wire: string[] = [];
    const pair = Pair.greeted({
      initiator: { ...options, keepAlive: 10 },
      acceptor: options,
      carry: (chunks) => {
        for (const chunk of chunks) wire.push(new TextDecoder().decode(chunk as Uint8Array));
        return chunks;
      },
    });
    pair.b.onCall = (call) => {
      if (call.method === "echo") call.succeed({ $stream: call.params });
      else call.onCancel = (reason) => void call.fail(reason);
    };
    const echo = pair.a.call("echo", { $escape: 1, deep: [{ $stream: 5 }] }, { timeout: 1000, now: 0 });
    const back = pair.b.call("back");
    const slow = pair.a.call("slow");
    pair.a.core.notify("note", { x: 1 });
    pair.settle();
    pair.a.seen.calls[0]!.succeed(undefined);
    pair.a.core.cancel(slow.call!, new Error("enough"));
    pair.advance(500);
    pair.a.core.drain("bye", 500);
    pair.settle();
    expect(echo.outcomes).toEqual([{ result: { $stream: { $escape: 1, deep: [{ $stream: 5 }] } } }]);
    expect([back.outcomes, slow.outcomes.length]).toEqual([[{ result: null }], 1]);
    const text = wire.join("");
    for (const ours of ["$/hello", "$/ping", "$/drain", "deadline", '{"$escape":{'])
      expect(text).not.toContain(ours);
    expect(text.includes('"jsonrpc":"2.0"')).toBe(dialect.version !== "omitted");
    if (dialect.cancel !== undefined) expect(pair.b.core.stats().handlers).toBe(0);
    expect([pair.a.seen.faults, pair.b.seen.faults]).toEqual([[], []]);
  });

  it("H5: streams are refused here, in params, results and notifications, and nothing is sent", () => {
    const pair = Pair.greeted({ initiator: options, acceptor: options });
    const body = new TestStream("bytes", "sender");
    expect(pair.a.call("m", [body]).outcomes).toMatchObject([
      { error: { _tag: "RefusedError", rule: "H2" } },
    ]);
    expect(() => pair.a.core.notify("m", { body })).toThrow("H2");
    expect(pair.a.core.flush()).toEqual([]);
    pair.b.onCall = (call) => void call.succeed({ body });
    const call = pair.a.call("m");
    pair.settle();
    expect(call.outcomes).toMatchObject([{ error: { code: -32603 } }]);
    expect([body.half, pair.b.seen.faults[0]?.rule]).toEqual([undefined, "H2"]);
  });

  it("C4: ids may be of any kind and order, and be used again once answered", () => {
    const script = new Scripted(options);
    script.end.onCall = (call) => void call.succeed(call.id);
    for (const id of ["b", 5, 3, 5, "b"]) script.message({ id, method: "m" });
    expect(script.heard().map(({ result }) => result)).toEqual(["b", 5, 3, 5, "b"]);
  });
});

it("codex: a message needs no version, and one that has it is taken", () => {
  const script = new Scripted({ dialect: codex });
  script.end.onCall = (call) => void call.succeed("ok");
  script.message('{"id":1,"method":"m"}');
  script.message('{"jsonrpc":"2.0","id":2,"method":"m"}');
  expect(script.heard()).toEqual([
    { id: 1, result: "ok" },
    { id: 2, result: "ok" },
  ]);
});

it("codex: without a cancel a call that is given up is simply not waited for, and its method is no cancel", () => {
  const pair = Pair.greeted({ initiator: { dialect: codex }, acceptor: { dialect: codex } });
  const call = pair.a.call("slow", undefined, { timeout: 10, now: 0 });
  pair.settle();
  pair.advance(10);
  expect(call.outcomes).toMatchObject([{ error: { _tag: "TimeoutError" } }]);
  expect(pair.a.core.flush()).toEqual([]);
  pair.b.seen.calls[0]!.succeed("late");
  pair.settle();
  expect([pair.a.seen.faults, call.outcomes.length]).toEqual([[], 1]);
  pair.a.core.notify("$/cancelRequest", { id: 1 });
  pair.settle();
  expect(pair.b.seen.notifications.length).toBe(1);
});

it("lsp: speaks with Content-Length headers, and a stray print there closes the session at once", () => {
  const framing = {
    framing: (limits: { message: number; header: number }) => new Headers(limits),
    dialect: lsp,
  };
  const pair = Pair.greeted({ initiator: framing, acceptor: framing });
  pair.b.onCall = (call) => void call.succeed(call.params);
  const call = pair.a.call("echo", ["é"]);
  const [chunk] = pair.a.core.flush();
  expect(new TextDecoder().decode(chunk as Uint8Array)).toMatch(/^Content-Length: \d+\r\n\r\n\{/);
  for (const byte of chunk as Uint8Array) pair.b.core.receive(Uint8Array.of(byte), 0);
  pair.settle();
  expect(call.outcomes).toEqual([{ result: ["é"] }]);
  pair.a.core.receive(new TextEncoder().encode("Debugger listening"), 0);
  expect(pair.a.core.error).toMatchObject({ code: "protocol", by: "peer" });
});

it("H3: with Content-Length headers, too, frames begin right after the answer", () => {
  const framing = { framing: (limits: { message: number; header: number }) => new Headers(limits) };
  const pair = Pair.greeted({ initiator: framing, acceptor: framing });
  expect(pair.a.seen.peer[0]?.encodings).toEqual(["frames"]);
  pair.b.onCall = (call) => void call.succeed(call.params);
  const call = pair.a.call("echo", [1]);
  pair.settle();
  expect(call.outcomes).toEqual([{ result: [1] }]);
});

it("L2: an end of input after a header, before its message, is a loss", () => {
  const script = new Scripted({ dialect: lsp, framing: (limits) => new Headers(limits) });
  script.raw("Content-Length: 5\r\n\r\n");
  script.core.inputEnded(0);
  expect(script.core.error).toMatchObject({ code: "lost", rule: "L2" });
});

it("a dialect is data: make your own by spreading one", () => {
  const mine: Dialect = {
    ...jsonrpc,
    name: "mine",
    greets: false,
    cancel: { method: "stop", member: "call" },
  };
  const script = new Scripted({ dialect: mine });
  const call = script.end.call("m");
  script.core.cancel(call.call!, new Error("enough"));
  expect(script.heard()[1]).toEqual({ jsonrpc: "2.0", method: "stop", params: { call: 1 } });
});
