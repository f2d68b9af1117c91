import { describe, expect, it } from "vitest";
import { Scripted } from "./scripted.ts";
import { Pair, TestStream } from "./testing.ts";
import type { ReceiveHalf, SendHalf } from "@sluice/streams";

const NOTHING = {
  calls: 0,
  handlers: 0,
  waiting: 0,
  streams: 0,
  stopping: 0,
  queued: 0,
  unread: 0,
  granted: 0,
  credit: 0,
};

describe("close", () => {
  it("L1: ends everything here at once, with the same error, and the peer is told the reason", () => {
    const pair = Pair.greeted();
    const [up, down] = [new TestStream("bytes", "sender"), new TestStream("bytes", "receiver")];
    const call = pair.a.call("m", [up, down]);
    const theirs = pair.b.call("m");
    pair.settle();
    const told: Error[] = [];
    pair.a.seen.calls[0]!.onCancel = (reason) => void told.push(reason);
    up.send.write(new Uint8Array(10));
    pair.a.core.close("shop is closed");
    pair.a.core.close("again");
    const { error } = pair.a.core;
    expect(error).toMatchObject({ code: "closed", by: "us", message: "shop is closed" });
    expect([call.outcomes, told, pair.a.seen.ended]).toEqual([[{ error }], [error], [error]]);
    expect([up.send.error?.cause, down.receive.error?.cause, down.receive.error?.code]).toEqual([
      error,
      error,
      7,
    ]);
    expect(pair.a.core.stats()).toMatchObject(NOTHING);
    expect(pair.a.seen.calls[0]!.succeed("late")).toBe(false);
    pair.settle();
    pair.b.core.transportLost(undefined);
    expect(pair.b.core.error).toMatchObject({ code: "closed", by: "peer" });
    expect(pair.b.core.error?.message).toContain("shop is closed");
    expect(theirs.outcomes.length).toBe(1);
    expect(pair.b.core.stats()).toMatchObject(NOTHING);
  });

  it("L1: what was accepted for sending is still sent", () => {
    const pair = Pair.greeted();
    const call = pair.b.call("m");
    pair.settle();
    pair.a.seen.calls[0]!.succeed("in time");
    pair.a.core.notify("note", undefined);
    pair.a.core.close();
    pair.settle();
    expect([call.outcomes, pair.b.seen.notifications.length]).toEqual([[{ result: "in time" }], 1]);
  });

  it("L1: both ends may close at once", () => {
    const pair = Pair.greeted();
    pair.a.core.close("a");
    pair.b.core.close("b");
    pair.settle();
    expect([pair.a.seen.ended.length, pair.b.seen.ended.length]).toEqual([1, 1]);
  });

  it("L6: calls and notifications made while it ends fail at once, with its error", () => {
    const pair = Pair.greeted();
    const made: unknown[] = [];
    const call = pair.a.core.call("m", undefined, {
      result: () => {},
      error: () => made.push(pair.a.call("from a finalizer").outcomes[0]),
    });
    expect(call).toBeDefined();
    pair.a.core.close();
    const { error } = pair.a.core;
    expect(made).toEqual([{ error }]);
    expect(() => pair.a.core.notify("m", undefined)).toThrow(error!);
    expect(pair.a.core.nextDeadline).toBe(undefined);
  });

  it("L1: those that wait are told the latest first, and may do as they like in the middle of it", () => {
    const pair = Pair.greeted();
    const order: number[] = [];
    for (let n = 1; n <= 3; n++)
      pair.a.core.call("m", undefined, {
        result: () => {},
        error: () => {
          order.push(n);
          pair.a.core.close("again");
          expect(pair.a.core.stats()).toMatchObject(NOTHING);
        },
      });
    pair.a.core.transportLost(new Error("EPIPE"));
    expect(order).toEqual([3, 2, 1]);
    expect(pair.a.core.error).toMatchObject({ code: "lost", by: "transport", mayHaveRun: true });
  });
});

describe("the end of input", () => {
  it("L2: pending calls fail with the reason, running handlers have a grace to answer, then the session ends", () => {
    const script = Scripted.greeted();
    const pending = script.end.call("ours");
    const id = script.call("running");
    script.heard();
    script.core.inputEnded(0);
    expect(pending.outcomes).toMatchObject([{ error: { code: "closed", by: "peer" } }]);
    expect([script.core.phase, script.end.call("new").outcomes.length]).toEqual(["finishing", 1]);
    script.call("too late");
    script.end.seen.calls[0]!.succeed("in time");
    expect(script.heard()).toMatchObject([{ id, result: "in time" }]);
    expect([script.core.phase, script.end.seen.calls.length]).toEqual(["ended", 1]);
    script.core.transportLost(undefined);
    expect(script.end.seen.ended.length).toBe(1);
  });

  it("L2: after the grace it ends without them", () => {
    const script = Scripted.greeted();
    script.call("running");
    script.core.inputEnded(0);
    script.advance(4_999);
    expect(script.core.phase).toBe("finishing");
    script.advance(1);
    expect([script.core.phase, script.end.seen.calls[0]!.cancelled]).toEqual(["ended", script.core.error]);
  });

  it("L2: readers get what arrived and then the error; writers spend their credit, and fail with 7 beyond it", () => {
    const pair = Pair.greeted({ acceptor: { limits: { window: 4096 } } });
    const [up, small, down] = [
      new TestStream("bytes", "sender"),
      new TestStream("bytes", "sender"),
      new TestStream("bytes", "receiver"),
    ];
    pair.a.call("m", [up, small, down]);
    pair.settle();
    (pair.b.seen.received[2] as SendHalf).write(new Uint8Array(5));
    pair.settle();
    up.send.write(new Uint8Array(5000));
    small.send.write(new Uint8Array(100));
    small.send.end();
    pair.a.core.inputEnded(0);
    pair.settle();
    expect((down.receive.read() as Uint8Array).length).toBe(5);
    expect([down.receive.isOver, down.receive.error?.code]).toEqual([true, 7]);
    expect([up.send.error?.code, small.send.state]).toEqual([7, "ended"]);
    expect((pair.b.seen.received[0] as ReceiveHalf).window.arrived).toBe(4096);
    expect((pair.b.seen.received[1] as ReceiveHalf).state).toBe("ended");
    expect(pair.a.core.phase).toBe("ended");
  });

  it.each<[what: string, encoding: "json" | "frames", half: (script: Scripted) => void]>([
    ["a line", "json", (script) => script.raw('{"jsonrpc"')],
    ["a frame's header", "frames", (script) => script.raw(Uint8Array.of(0, 0, 0, 9, 0))],
    [
      "a frame's payload",
      "frames",
      (script) => script.raw(Uint8Array.of(0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 65)),
    ],
  ])("L2: in the middle of %s it is a loss, and the half message never runs", (_, encoding, half) => {
    const script = Scripted.greeted({ encoding });
    half(script);
    script.core.inputEnded(0);
    expect(script.core.error).toMatchObject({ code: "lost", by: "transport", rule: "L2" });
    expect(script.end.seen.calls).toEqual([]);
  });
});

describe("signs of life", () => {
  const ping = { keepAlive: 1000, limits: { ping: 500 } };

  it("L5: while nothing arrives a ping is sent, and without any byte the session closes", () => {
    const script = Scripted.greeted(ping);
    script.advance(999);
    expect(script.heard()).toEqual([]);
    script.advance(1);
    expect(script.heard()).toMatchObject([{ type: "ping" }]);
    script.advance(499);
    expect(script.core.error).toBe(undefined);
    script.advance(1);
    expect(script.core.error).toMatchObject({ code: "timeout", by: "peer", rule: "L5" });
  });

  it("L5: any byte counts as an answer, and starts the wait anew", () => {
    const script = Scripted.greeted(ping);
    for (let i = 0; i < 5; i++) {
      script.advance(1000);
      expect(script.heard()).toMatchObject([{ type: "ping" }]);
      script.advance(1);
      script.frame({ type: "pong", token: "f".repeat(16) });
    }
    script.advance(900);
    script.message({ method: "note" });
    script.advance(999);
    expect(script.heard()).toEqual([]);
    script.advance(1);
    expect(script.heard()).toMatchObject([{ type: "ping" }]);
  });

  it("L5: two cores keep each other alive, in either encoding", () => {
    for (const encoding of ["frames", "json"] as const) {
      const pair = Pair.greeted({ initiator: { ...ping, encodings: [encoding] }, acceptor: ping });
      for (let i = 0; i < 20; i++) pair.advance(300);
      expect([pair.a.core.error, pair.b.core.error]).toEqual([undefined, undefined]);
    }
  });
});

describe("a peer that does not read", () => {
  it("L4: unsent answers beyond `limits.outbox` close the session; our own calls are refused at half of it", () => {
    const script = Scripted.greeted({ limits: { outbox: 10_000 } });
    script.end.onCall = (call) => void call.succeed("x".repeat(900));
    for (let i = 0; i < 7; i++) script.call("m");
    expect(script.end.call("ours").outcomes).toMatchObject([
      { error: { rule: "limits.outbox", mayHaveRun: false } },
    ]);
    for (let i = 0; i < 10; i++) script.call("m");
    expect(script.core.error).toMatchObject({ code: "limit", by: "peer", rule: "L4" });
    expect(script.core.stats().handlers).toBe(0);
  });

  it("L4: of grants only the latest is kept, and none for a stream that is over", () => {
    const script = Scripted.greeted({ limits: { window: 4096, windowMax: 4096 } });
    const mention = (id: number): object => ({ $stream: id, of: "bytes", by: "sender" });
    script.call("m", [mention(1), mention(3)]);
    const halves = script.end.seen.received as ReceiveHalf[];
    for (let i = 0; i < 3; i++)
      for (const [n, half] of halves.entries()) {
        script.data(2 * n + 1, new Uint8Array(3000));
        half.read();
      }
    script.data(3, "x", { end: true });
    expect(script.heard()).toEqual([{ type: "grant", id: 1, offset: 9000 + 4096 }]);
  });
});
