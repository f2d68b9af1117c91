import { codex, lsp } from "@sluice/codec";
import { describe, expect, it } from "vitest";
import { Scripted } from "./scripted.ts";

const call = (id: unknown, method = "m"): object => ({ jsonrpc: "2.0", id, method });
const note = { jsonrpc: "2.0", method: "note" };
const batch = (...messages: readonly unknown[]): string => JSON.stringify(messages);

describe("a batch", () => {
  it("is answered as one array, once the last answer is there", () => {
    const script = new Scripted();
    script.message(batch(call(1), note, call("b"), 7, call(1)));
    expect(script.heard()).toEqual([]);
    const [first, second] = script.end.seen.calls;
    second!.succeed("second");
    expect(script.heard()).toEqual([]);
    first!.succeed("first");
    const [answers, ...more] = script.heard();
    expect(more).toEqual([]);
    expect(answers).toMatchObject([
      { id: null, error: { code: -32600 } }, // 7
      { id: null, error: { code: -32600, data: { id: 1 } } }, // C4
      { id: "b", result: "second" },
      { id: 1, result: "first" },
    ]);
  });

  it("is answered at once where its handlers are", () => {
    const script = new Scripted();
    script.end.onCall = (call) => void call.succeed(call.id);
    script.message(batch(call(1), call(2)));
    expect(script.heard()).toMatchObject([[{ result: 1 }, { result: 2 }]]);
  });

  it("of notifications and answers alone gets no reply at all", () => {
    const script = new Scripted();
    script.message(batch(note, note));
    const ours = script.end.call("ours");
    script.heard();
    script.message(batch({ jsonrpc: "2.0", id: ours.call!.id, result: 1 }, note));
    expect([script.heard(), ours.outcomes]).toEqual([[], [{ result: 1 }]]);
  });

  it("is answered once its notifications have been run", () => {
    const script = new Scripted();
    script.end.onCall = (call) => void call.succeed("at once");
    const running: (() => void)[] = [];
    script.end.onNotification = (_message, done) => void running.push(done);
    script.message(batch(call(1), note, note));
    expect(script.heard()).toEqual([]);
    running[1]!();
    expect(script.heard()).toEqual([]);
    running[0]!();
    running[0]!();
    expect(script.heard()).toMatchObject([[{ id: 1, result: "at once" }]]);
  });

  it("is answered where a notification of it found no room", () => {
    const script = new Scripted({ limits: { calls: 1, waiting: 1 } });
    script.message(batch(call(1), note, note));
    script.end.seen.calls[0]!.succeed("ok");
    expect(script.heard()).toMatchObject([[{ id: 1, result: "ok" }]]);
    expect(script.end.seen.notifications.length).toBe(1);
  });

  it("C2: with a malformed answer in it is answered all the same", () => {
    const script = new Scripted();
    script.end.onCall = (call) => void call.succeed(1);
    script.message(note);
    const ours = script.end.call("ours");
    script.heard();
    script.message(batch({ jsonrpc: "2.0", id: ours.call!.id, result: 1, error: 2 }, call(1)));
    script.core.turn(); // the call came after an answer
    expect(script.heard()).toMatchObject([[{ id: 1, result: 1 }]]);
    expect(ours.outcomes).toMatchObject([{ error: { _tag: "DecodeError" } }]);
  });

  it("follows the examples of JSON-RPC 2.0 section 7", () => {
    const script = new Scripted();
    script.message(note);
    script.message(
      '[{"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},{"jsonrpc": "2.0", "method"',
    );
    script.message("[]");
    script.message("[1]");
    script.message("[1,2,3]");
    const invalid = { jsonrpc: "2.0", id: null, error: { code: -32600 } };
    expect(script.heard()).toMatchObject([
      { id: null, error: { code: -32700 } },
      invalid,
      [invalid],
      [invalid, invalid, invalid],
    ]);
  });

  it("beyond `limits.batch` is refused whole, and nothing runs", () => {
    const script = new Scripted({ limits: { batch: 2 } });
    script.message(note);
    script.message(batch(call(1), call(2), call(3)));
    expect(script.heard()).toMatchObject([{ id: null, error: { code: -32600 } }]);
    expect(script.end.seen.calls).toEqual([]);
  });

  it("cancelled calls and calls turned away have their place in the answer", () => {
    const script = new Scripted({ limits: { calls: 1, waiting: 1 } });
    script.message(batch(call(1), call(2), call(3)));
    script.message({ method: "$/cancelRequest", params: { id: 2 } });
    script.end.seen.calls[0]!.succeed("ran");
    expect(script.heard()).toMatchObject([
      [
        { id: 3, error: { code: -32012 } },
        { id: 2, error: { code: -32800 } },
        { id: 1, result: "ran" },
      ],
    ]);
  });

  it("C8: from a greeted peer it is answered -32600 once, and nothing in it runs", () => {
    for (const encoding of ["json", "frames"] as const) {
      const script = Scripted.greeted({ encoding });
      script.message(batch(call(5), note, call(6)));
      expect(script.heard()).toMatchObject([{ id: null, error: { code: -32600 } }]);
      expect([script.end.seen.calls, script.end.seen.notifications]).toEqual([[], []]);
      expect(script.isWell).toBe(true);
    }
  });

  it("in a dialect without batches is answered -32600 once", () => {
    for (const dialect of [lsp, codex]) {
      const script = new Scripted({ dialect });
      script.message(batch(call(5), call(6)));
      expect(script.heard()).toMatchObject([{ id: dialect.noId, error: { code: -32600 } }]);
    }
  });
});
