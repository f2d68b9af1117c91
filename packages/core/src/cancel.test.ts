import { acp, codex, jsonrpc, lsp, mcp } from "@sluice/codec";
import { describe, expect, it } from "vitest";
import { CancelledError, RpcError, TimeoutError } from "./error.ts";
import { Scripted } from "./scripted.ts";
import { Pair } from "./testing.ts";

const enough = new CancelledError();
const CANCELLED = { error: { code: -32800 } };

describe("a cancel", () => {
  it("C3: tells the peer once, its own waiter at once, and the late answer is expected (C2)", () => {
    const pair = Pair.greeted();
    const told: Error[] = [];
    pair.b.onCall = (call) => (call.onCancel = (reason) => void told.push(reason));
    const call = pair.a.call("slow");
    pair.settle();
    pair.a.core.cancel(call.call!, enough);
    pair.a.core.cancel(call.call!, new Error("again"));
    expect(call.outcomes).toEqual([{ error: enough }]);
    pair.settle();
    expect(told).toMatchObject([{ _tag: "CancelledError" }]);
    expect(pair.b.core.stats().handlers).toBe(1); // C7: it runs until it answers
    expect(pair.b.seen.calls[0]!.succeed("all the same")).toBe(true);
    pair.settle();
    expect([call.outcomes.length, pair.a.seen.faults, pair.a.core.stats().calls]).toEqual([1, [], 0]);
    expect(pair.b.core.stats().handlers).toBe(0);
  });

  it("C3: asked for, the peer is told once, and its answer is still waited for", () => {
    const pair = Pair.greeted();
    const told: Error[] = [];
    pair.b.onCall = (call) => (call.onCancel = (reason) => void told.push(reason));
    const call = pair.a.call("slow");
    pair.settle();
    pair.a.core.calls.askToCancel(call.call!);
    pair.a.core.calls.askToCancel(call.call!);
    pair.settle();
    expect([call.outcomes, told.length]).toEqual([[], 1]);
    pair.b.seen.calls[0]!.succeed("what there was");
    pair.settle();
    expect(call.outcomes).toEqual([{ result: "what there was" }]);
  });

  it("C3: asked for and then given up, the peer is told once", () => {
    const script = Scripted.greeted();
    const { call, outcomes } = script.end.call("slow");
    script.core.calls.askToCancel(call!);
    script.core.cancel(call!, enough);
    script.core.calls.askToCancel(call!);
    expect(outcomes).toEqual([{ error: enough }]);
    const cancels = script
      .heard()
      .filter((said) => (said as { method?: string }).method === "$/cancelRequest");
    expect(cancels.length).toBe(1);
  });

  it("C3: is taken, and passed on to a host that wants to see it", () => {
    const script = new Scripted({ dialect: acp, passesCancels: true });
    script.message({ jsonrpc: "2.0", id: "a", method: "slow" });
    script.message({ jsonrpc: "2.0", method: "$/cancel_request", params: { requestId: "a" } });
    expect(script.end.seen.calls[0]?.cancelled).toMatchObject({ _tag: "CancelledError" });
    expect(script.end.seen.notifications.map(({ method }) => method)).toEqual(["$/cancel_request"]);
  });

  it("C3: a handler that fails with what it was told answers -32800", () => {
    const script = Scripted.greeted();
    script.end.onCall = (call) => (call.onCancel = (reason) => void call.fail(reason));
    const id = script.call("slow");
    script.message({ method: "$/cancelRequest", params: { id } });
    script.message({ method: "$/cancelRequest", params: { id } });
    expect(script.heard()).toMatchObject([{ id, ...CANCELLED }]);
  });

  it("C3: of a call that waits for a place is answered -32800 unrun", () => {
    const script = Scripted.greeted({ limits: { calls: 1 } });
    script.call("runs");
    const id = script.call("waits");
    script.message({ method: "$/cancelRequest", params: { id } });
    expect(script.heard()).toMatchObject([{ id, ...CANCELLED }]);
    script.end.seen.calls[0]!.succeed(null);
    expect([script.end.seen.calls.length, script.core.stats().waiting]).toEqual([1, 0]);
    expect(script.isWell).toBe(true);
  });

  it("C3: of a call that waits behind an answer is answered -32800 unrun", () => {
    const script = Scripted.greeted();
    const ours = script.end.call("ours");
    script.message({ id: ours.call!.id, result: 1 });
    const id = script.call("held");
    script.message({ method: "$/cancelRequest", params: { id } });
    script.core.turn();
    expect(script.answers()).toMatchObject([{ id, ...CANCELLED }]);
    expect([script.end.seen.calls, script.core.stats()]).toMatchObject([[], { handlers: 0, waiting: 0 }]);
  });

  it("C3: of a call that is answered, unknown or our own changes nothing, and is no fault", () => {
    const script = Scripted.greeted();
    script.end.call("ours");
    const id = script.call("quick");
    script.end.seen.calls[0]!.succeed(1);
    for (const it of [id, 77, "x", 1]) script.message({ method: "$/cancelRequest", params: { id: it } });
    expect([script.answers().length, script.end.seen.faults, script.core.stats().calls]).toEqual([1, [], 1]);
    expect(script.isWell).toBe(true);
  });

  it("C2: a cancel and an answer that cross leave one outcome on each side", () => {
    const pair = Pair.greeted();
    const call = pair.a.call("m");
    pair.settle();
    pair.b.seen.calls[0]!.succeed("done");
    pair.a.core.cancel(call.call!, enough);
    pair.settle();
    expect([call.outcomes, pair.a.seen.faults, pair.b.seen.faults]).toEqual([[{ error: enough }], [], []]);
  });

  it("a call that is given up while its answer waits for its turn hears of the giving up alone", () => {
    const script = Scripted.greeted();
    const calls = [script.end.call("first"), script.end.call("second")];
    const [first, second] = calls.map(({ call }) => call!) as [any, any];
    script.message({ id: first.id, result: 1 });
    script.message({ method: "note" });
    script.message({ id: second.id, result: { $stream: 1, of: "bytes", by: "sender" } });
    script.core.cancel(second, enough);
    script.core.turn();
    expect(calls[1]!.outcomes).toEqual([{ error: enough }]);
    expect(script.heard()).toMatchObject([
      { method: "first" },
      { method: "second" },
      { method: "$/cancelRequest" },
      { type: "stop", id: 1, code: 1 },
    ]);
    script.frame({ type: "reset", id: 1, code: 1, message: "" });
    expect(script.core.stats()).toMatchObject({ calls: 0, streams: 0, stopping: 0, waiting: 0 });
  });

  it("S2: never overtakes its request", () => {
    const pair = Pair.greeted();
    const call = pair.a.call("m");
    pair.a.core.cancel(call.call!, enough);
    pair.settle();
    expect(pair.b.seen.calls.map(({ state }) => state)).toEqual(["cancelled"]);
  });

  it("after an answer it does nothing", () => {
    const pair = Pair.greeted();
    pair.b.onCall = (call) => void call.succeed(1);
    const call = pair.a.call("m");
    pair.settle();
    pair.a.core.cancel(call.call!, enough);
    expect([call.outcomes, pair.a.core.flush()]).toEqual([[{ result: 1 }], []]);
  });

  it.each([
    [jsonrpc, { method: "$/cancelRequest", params: { id: 1 } }],
    [lsp, { method: "$/cancelRequest", params: { id: 1 } }],
    [acp, { method: "$/cancel_request", params: { requestId: 1 } }],
    [mcp, { method: "notifications/cancelled", params: { requestId: 1 } }],
    [codex, undefined],
  ])("C3: is spelt as the dialect spells it: %j", (dialect, spelt) => {
    const script = new Scripted({ dialect: { ...dialect, greets: false } });
    const call = script.end.call("m");
    script.heard();
    script.core.cancel(call.call!, enough);
    const version = dialect.version === "omitted" ? {} : { jsonrpc: "2.0" };
    expect(script.heard()).toEqual(spelt === undefined ? [] : [{ ...version, ...spelt }]);
    expect(call.outcomes).toEqual([{ error: enough }]);
    script.message({ id: 1, result: "late" });
    expect(script.end.seen.faults).toEqual([]);
  });
});

describe("deadlines", () => {
  it("C5: the caller's timeout travels as the deadline, and gives the call up on time, once", () => {
    const pair = Pair.greeted();
    const call = pair.a.call("slow", undefined, { timeout: 100, now: 0, extras: { traceparent: "00-1" } });
    pair.settle();
    expect(pair.b.seen.calls[0]!.message.raw).toMatchObject({ deadline: 100, traceparent: "00-1" });
    expect([pair.a.core.nextDeadline, pair.b.core.nextDeadline]).toEqual([100, 100]);
    pair.advance(99);
    expect(call.outcomes).toEqual([]);
    pair.advance(1);
    expect(call.outcomes).toMatchObject([{ error: { _tag: "TimeoutError", ms: 100, mayHaveRun: true } }]);
    pair.advance(1000);
    expect([call.outcomes.length, pair.a.seen.faults, pair.b.seen.faults]).toEqual([1, [], []]);
    expect(call.outcomes[0]).toMatchObject({ error: new TimeoutError("slow", 100) });
  });

  it("C5: at zero the handler is told once, and the call answered -32800 with the reason", () => {
    const script = Scripted.greeted();
    let told = 0;
    script.end.onCall = (call) => (call.onCancel = () => void told++);
    const id = script.call("slow", undefined, { deadline: 50 });
    script.advance(49);
    expect(script.heard()).toEqual([]);
    script.advance(1);
    expect(script.heard()).toMatchObject([{ id, error: { code: -32800, data: { reason: "deadline" } } }]);
    expect([told, script.end.seen.calls[0]!.succeed("late"), script.core.stats().handlers]).toEqual([
      1,
      false,
      0,
    ]);
  });

  it("C5: a handler that was cancelled already is not told again, and its call answered in time", () => {
    const script = Scripted.greeted();
    let told = 0;
    script.end.onCall = (call) => (call.onCancel = () => void told++);
    const id = script.call("slow", undefined, { deadline: 50 });
    script.message({ method: "$/cancelRequest", params: { id } });
    script.advance(50);
    expect([told, script.answers().length]).toEqual([1, 1]);
    script.call("slow");
    script.message({ method: "$/cancelRequest", params: { id: id + 1 } });
    script.core.close();
    expect(told).toBe(2);
  });

  it("C5: queueing counts", () => {
    const script = Scripted.greeted({ limits: { calls: 1 } });
    script.call("runs");
    const id = script.call("waits", undefined, { deadline: 50 });
    script.advance(50);
    expect(script.heard()).toMatchObject([{ id, error: { code: -32800 } }]);
    script.end.seen.calls[0]!.succeed(null);
    expect(script.end.seen.calls.length).toBe(1);
  });

  it("C5: zero is answered unrun; what is no whole number counts for none", () => {
    const script = Scripted.greeted();
    const id = script.call("late", undefined, { deadline: 0 });
    expect(script.heard()).toMatchObject([{ id, error: { code: -32800, data: { reason: "deadline" } } }]);
    for (const deadline of [-1, 1.5, "5", null, 1e300]) script.call("m", undefined, { deadline });
    script.advance(1e6);
    expect([script.heard(), script.end.seen.calls.length]).toEqual([[], 5]);
  });

  it("C5: an answer in time takes the deadline away, on both sides", () => {
    const pair = Pair.greeted();
    pair.b.onCall = (call) => void call.succeed(1);
    const call = pair.a.call("quick", undefined, { timeout: 100, now: 0 });
    pair.settle();
    expect([pair.a.core.nextDeadline, pair.b.core.nextDeadline]).toEqual([undefined, undefined]);
    pair.advance(1000);
    expect(call.outcomes).toEqual([{ result: 1 }]);
  });

  it("limits.handler: without a deadline a handler has so long, also for a plain peer", () => {
    const script = new Scripted({ limits: { handler: 1000 } });
    script.message({ id: 1, method: "slow" });
    script.message({ id: 2, method: "slow, and a deadline is not spoken here", deadline: 1 });
    script.advance(999);
    expect(script.heard()).toEqual([]);
    script.advance(1);
    expect(script.answers()).toMatchObject([CANCELLED, CANCELLED]);
    const greeted = Scripted.greeted({ limits: { handler: 1000 } });
    greeted.call("slow", undefined, { deadline: 5000 });
    greeted.advance(1000);
    expect(greeted.answers()).toMatchObject([CANCELLED]);
  });

  it("a timeout is not told to a peer that did not greet", () => {
    const script = new Scripted({ dialect: lsp });
    script.end.call("m", undefined, { timeout: 5, now: 0 });
    expect(script.heard()).toEqual([{ jsonrpc: "2.0", id: 1, method: "m" }]);
    script.advance(5);
    expect(script.heard()).toMatchObject([{ method: "$/cancelRequest" }]);
  });
});

it("an error says whether the call may have run", () => {
  const mayHaveRun = (code: number): boolean => new RpcError(code, "").mayHaveRun;
  expect([-32011, -32012, -32013, -32601, -32800, -32603, 1].map(mayHaveRun)).toEqual([
    false,
    false,
    false,
    false,
    true,
    true,
    true,
  ]);
});
