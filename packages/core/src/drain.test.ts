import type { ReceiveHalf } from "@sluice/streams";
import { describe, expect, it } from "vitest";
import { Scripted } from "./scripted.ts";
import { Pair, TestStream } from "./testing.ts";

describe("drain", () => {
  it("L2: what still runs after the end of input may notify before it answers", () => {
    const script = new Scripted();
    script.message({ jsonrpc: "2.0", id: 1, method: "turn" });
    script.core.inputEnded(1);
    script.core.notify("update", { n: 1 });
    script.end.seen.calls[0]!.succeed("done");
    expect(script.heard()).toMatchObject([
      { method: "update", params: { n: 1 } },
      { id: 1, result: "done" },
    ]);
    expect(script.core.phase).toBe("ended");
    expect(() => script.core.notify("late", undefined)).toThrow("the peer closed the session");
  });

  it("L2: a session that is held does not end before it is let go, or in time", () => {
    const script = new Scripted({ limits: { grace: 100 } });
    script.message({ jsonrpc: "2.0", method: "note" });
    const release = script.core.holds.take();
    const other = script.core.holds.take();
    script.core.inputEnded(1);
    release();
    release();
    expect(script.core.phase).toBe("finishing");
    other();
    expect(script.core.phase).toBe("ended");

    const late = new Scripted({ limits: { grace: 100 } });
    late.message({ jsonrpc: "2.0", method: "note" });
    late.core.holds.take();
    late.core.inputEnded(1);
    late.core.tick(102);
    expect(late.core.phase).toBe("ended");
  });

  for (const drains of ["a", "b"] as const)
    it(`C6: what runs may finish, later calls are turned away unrun, and then ${drains} ends`, () => {
      const pair = Pair.greeted();
      const [here, there] = drains === "a" ? [pair.a, pair.b] : [pair.b, pair.a];
      const running = there.call("running");
      const ours = here.call("ours");
      pair.settle();
      here.core.drain("maintenance", 0);
      here.core.drain("again", 0);
      const crossing = there.call("crossing the drain");
      pair.settle();
      expect(there.seen.draining).toEqual([running.call!.id]);
      expect(crossing.outcomes).toMatchObject([{ error: { code: -32011, mayHaveRun: false } }]);
      expect(there.call("later").outcomes).toMatchObject([{ error: { code: -32011, mayHaveRun: false } }]);
      there.core.notify("still heard", undefined);
      const mine = here.call("the one that drains may still call");
      pair.settle();
      expect(here.seen.notifications.length).toBe(1);
      expect(here.core.phase).toBe("draining");
      for (const call of there.seen.calls) call.succeed("ok");
      here.seen.calls[0]!.succeed("finished");
      pair.settle();
      expect([running, ours, mine].map(({ outcomes }) => outcomes)).toEqual([
        [{ result: "finished" }],
        [{ result: "ok" }],
        [{ result: "ok" }],
      ]);
      expect(here.core.error).toMatchObject({ code: "drained", by: "us" });
      expect(here.seen.ended).toEqual([here.core.error]);
      there.core.transportLost(undefined);
      expect(there.core.error).toMatchObject({ code: "closed", by: "peer" });
      expect(there.core.error?.message).toContain("maintenance");
    });

  it("C6: with nothing running it ends as soon as it has been told", () => {
    const pair = Pair.greeted();
    pair.a.core.drain("bye", 0);
    expect(pair.a.core.phase).toBe("draining");
    pair.settle();
    expect([pair.a.core.phase, pair.b.seen.draining]).toEqual(["ended", [0]]);
  });

  it("C6: streams go on until they are over, and the last frame still goes out", () => {
    const pair = Pair.greeted();
    const body = new TestStream("bytes", "sender");
    const call = pair.a.call("put", [body]);
    pair.settle();
    pair.b.seen.calls[0]!.succeed(null);
    pair.settle();
    pair.a.core.drain("bye", 0);
    pair.settle();
    expect([call.outcomes.length, pair.a.core.phase]).toEqual([1, "draining"]);
    body.send.write(new Uint8Array(600_000));
    body.send.end();
    pair.settle();
    const half = pair.b.seen.received[0] as ReceiveHalf;
    let bytes = 0;
    for (let chunk = half.read(); chunk !== undefined; pair.settle(), chunk = half.read())
      bytes += (chunk as Uint8Array).length;
    expect([bytes, half.isOver, half.error]).toEqual([600_000, true, undefined]);
    expect([pair.a.core.error?.code, pair.a.seen.ended.length]).toEqual(["drained", 1]);
  });

  it("C6: at its deadline the session ends, whatever still runs", () => {
    const pair = Pair.greeted();
    const running = pair.b.call("never answered");
    pair.settle();
    pair.a.core.drain("bye", 0);
    pair.settle();
    pair.advance(29_999);
    expect(pair.a.core.error).toBe(undefined);
    pair.advance(1);
    expect(pair.a.core.error).toMatchObject({ code: "timeout", by: "us", rule: "C6" });
    expect(pair.a.seen.calls[0]!.cancelled).toBe(pair.a.core.error);
    pair.b.core.transportLost(undefined);
    expect(running.outcomes).toMatchObject([{ error: { _tag: "SessionError", by: "peer" } }]);
  });

  it("C6: a second drain of the peer's is ignored", () => {
    const script = Scripted.greeted();
    script.frame({ type: "drain", call: 5, reason: "first" });
    script.frame({ type: "drain", call: 9, reason: "second" });
    expect(script.end.seen.draining).toEqual([5]);
    script.core.inputEnded(0);
    expect(script.core.error?.message).toContain("first");
  });

  it("C6: both may drain at once, and both end", () => {
    const pair = Pair.greeted();
    const calls = [pair.a.call("m"), pair.b.call("m")];
    pair.settle();
    pair.a.core.drain("a", 0);
    pair.b.core.drain("b", 0);
    pair.settle();
    for (const end of [pair.a, pair.b]) end.seen.calls[0]!.succeed(1);
    pair.settle();
    expect(calls.map(({ outcomes }) => outcomes)).toEqual([[{ result: 1 }], [{ result: 1 }]]);
    expect([pair.a.core.error?.code, pair.b.core.error?.code]).toEqual(["drained", "drained"]);
  });
});
