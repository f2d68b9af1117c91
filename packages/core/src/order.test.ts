import { describe, expect, it } from "vitest";
import { Scripted } from "./scripted.ts";
import { Pair } from "./testing.ts";
import type { IncomingCall } from "./incoming.ts";

describe("an answer comes before what followed it", () => {
  // Writes down what the core hands over, and when a macrotask passes.
  function watched(): { script: Scripted; seen: string[] } {
    const script = Scripted.greeted();
    const seen: string[] = [];
    script.end.onCall = (call) => void seen.push(call.method);
    script.end.onNotification = (message, done) => {
      seen.push(message.method);
      done();
    };
    return { script, seen };
  }
  const ours = (script: Scripted, seen: string[], name: string): number => {
    const note = (): void => void seen.push(name);
    return script.core.call(name, undefined, { result: note, error: note })!.id;
  };

  it("a call or notification after an answer waits for the next macrotask, and all after it in line", () => {
    const { script, seen } = watched();
    const [one, two] = [ours(script, seen, "answer 1"), ours(script, seen, "answer 2")];
    script.message({ method: "before" });
    script.message({ id: one, result: 1 });
    script.message({ method: "note" });
    script.message({ id: two, result: 1 });
    script.call("call");
    expect(seen).toEqual(["before", "answer 1"]);
    expect([script.end.turns, script.core.stats().waiting]).toEqual([1, 3]);
    script.core.turn();
    expect(seen).toEqual(["before", "answer 1", "note", "answer 2"]);
    expect(script.end.turns).toBe(2);
    script.core.turn();
    expect(seen).toEqual(["before", "answer 1", "note", "answer 2", "call"]);
    expect(script.core.stats().waiting).toBe(0);
  });

  it.each([
    [{ held: 4 }, 0],
    [{ heldBytes: 200 }, 60],
  ])("with as much in line as %j says reading pauses, until half of it is gone", (limits, size) => {
    const script = Scripted.greeted({ limits });
    const answers = [1, 2, 3, 4].map((n) => ours(script, [], `answer ${n}`));
    for (const id of answers) {
      script.message({ id, result: 1 });
      script.message({ method: "note", params: { text: "x".repeat(size) } });
    }
    expect([script.core.stats().waiting >= 4, script.end.paused]).toEqual([true, [true]]);
    while (script.core.stats().waiting > 0) {
      const { waiting } = script.core.stats();
      script.core.turn();
      if (waiting <= 2) expect(script.end.paused).toEqual([true, false]);
    }
    expect([script.end.seen.notifications.length, script.end.paused]).toEqual([4, [true, false]]);
  });

  it("answers that follow answers wait for nothing, and no turn is asked for", () => {
    const { script, seen } = watched();
    const ids = [1, 2, 3].map((n) => ours(script, seen, `answer ${n}`));
    for (const id of ids) script.message({ id, result: 1 });
    expect([seen, script.end.turns]).toEqual([["answer 1", "answer 2", "answer 3"], 0]);
  });

  it("C2: where the session is lost meanwhile, an answer that had come still reaches its caller", () => {
    for (const lose of [
      (script: Scripted) => script.core.transportLost(undefined),
      (script: Scripted) => script.core.close(),
    ]) {
      const { script, seen } = watched();
      const ids = [ours(script, seen, "answer 1"), ours(script, seen, "answer 2")];
      const pending = script.end.call("never answered");
      script.message({ id: ids[0], result: 1 });
      script.message({ method: "note" });
      script.message({ id: ids[1], result: 1 });
      lose(script);
      expect(seen).toEqual(["answer 1", "answer 2"]);
      expect(pending.outcomes.length).toBe(1);
      script.core.turn();
      expect(seen.length).toBe(2);
      expect(script.core.stats()).toMatchObject({ calls: 0, waiting: 0 });
    }
  });

  it("L2: at the end of input what waits its turn still has it, before the session ends", () => {
    const { script, seen } = watched();
    const id = ours(script, seen, "answer");
    script.message({ id, result: 1 });
    script.call("call");
    script.core.inputEnded(0);
    expect(script.core.phase).toBe("finishing");
    script.core.turn();
    expect(seen).toEqual(["answer", "call"]);
    script.end.seen.calls[0]!.succeed("in time");
    expect(script.answers()).toMatchObject([{ result: "in time" }]);
    expect(script.core.phase).toBe("ended");
  });
});

describe("starts", () => {
  it("requests and notifications start in wire order", () => {
    const pair = Pair.greeted();
    const seen: string[] = [];
    pair.b.onCall = (call) => void seen.push(call.method);
    pair.b.onNotification = (message) => void seen.push(message.method);
    for (const n of [1, 2, 3]) {
      pair.a.call(`call ${n}`);
      pair.a.core.notify(`note ${n}`, undefined);
    }
    pair.settle();
    expect(seen).toEqual(["call 1", "note 1", "call 2", "note 2", "call 3", "note 3"]);
  });

  const held = (limits: object, laneOf?: (method: string) => string | undefined): Pair =>
    Pair.greeted({
      acceptor: { limits, ...(laneOf === undefined ? {} : { laneOf: (message) => laneOf(message.method) }) },
    });
  const names = (pair: Pair): string[] => pair.b.seen.calls.map(({ method }) => method);
  const answer = (pair: Pair, n: number): void => {
    pair.b.seen.calls[n]!.succeed(n);
    pair.settle();
  };

  it("no more run at once than the limit; the others wait, in order", () => {
    const pair = held({ calls: 2 });
    for (const name of ["a", "b", "c", "d"]) pair.a.call(name);
    pair.settle();
    expect([names(pair), pair.b.core.stats()]).toMatchObject([["a", "b"], { handlers: 2, waiting: 2 }]);
    answer(pair, 1);
    expect(names(pair)).toEqual(["a", "b", "c"]);
    answer(pair, 0);
    expect(names(pair)).toEqual(["a", "b", "c", "d"]);
    expect(pair.b.core.stats()).toMatchObject({ handlers: 2, waiting: 0 });
  });

  it("notifications take a place, too, until they have settled", () => {
    const pair = held({ calls: 1 });
    let settled: () => void = () => {};
    pair.b.onNotification = (_, done) => void (settled = done);
    pair.a.core.notify("note", undefined);
    pair.a.call("call");
    pair.settle();
    expect(names(pair)).toEqual([]);
    settled();
    settled();
    expect([names(pair), pair.b.core.stats().handlers]).toEqual([["call"], 1]);
  });

  it("beyond the limit of those that wait a call is answered -32012, and a notification dropped and counted", () => {
    const pair = held({ calls: 1, waiting: 1 });
    const calls = ["runs", "waits", "too much"].map((name) => pair.a.call(name));
    pair.a.core.notify("note", undefined);
    pair.settle();
    expect(calls.map(({ outcomes }) => outcomes)).toMatchObject([
      [],
      [],
      [{ error: { code: -32012, mayHaveRun: false } }],
    ]);
    expect(pair.b.seen.faults.map(({ rule }) => rule)).toEqual(["limits.waiting"]);
    answer(pair, 0);
    answer(pair, 1);
    expect(names(pair)).toEqual(["runs", "waits"]);
  });

  it("beyond the bytes that may wait a call is answered -32012, whatever their number", () => {
    const pair = held({ calls: 1, waitingBytes: 1000 });
    pair.a.call("runs");
    const calls = ["waits", "too much"].map((name) => pair.a.call(name, ["x".repeat(600)]));
    pair.settle();
    expect(calls.map(({ outcomes }) => outcomes.length)).toEqual([0, 1]);
    answer(pair, 0);
    expect(names(pair)).toEqual(["runs", "waits"]);
    const again = pair.a.call("fits again", ["x".repeat(600)]);
    pair.settle();
    expect(again.outcomes).toEqual([]);
  });

  it("calls of one lane run one at a time, in order; other lanes pass by", () => {
    const pair = held({}, (method) =>
      method.startsWith("x") ? "x" : method.startsWith("y") ? "y" : undefined,
    );
    for (const name of ["x1", "x2", "y1", "x3", "free", "y2"]) pair.a.call(name);
    pair.settle();
    expect(names(pair)).toEqual(["x1", "y1", "free"]);
    answer(pair, 0);
    expect(names(pair)).toEqual(["x1", "y1", "free", "x2"]);
    answer(pair, 1);
    answer(pair, 3);
    expect(names(pair)).toEqual(["x1", "y1", "free", "x2", "y2", "x3"]);
  });

  it("a single lane is serial, also where handlers answer at once", () => {
    const pair = held({}, () => "all");
    let running = 0;
    let most = 0;
    pair.b.onCall = (call: IncomingCall) => {
      most = Math.max(most, ++running);
      running--;
      call.succeed(null);
    };
    const calls = Array.from({ length: 20_000 }, (_, i) => pair.a.call(`m${i % 7}`));
    pair.settle();
    expect([most, calls.every(({ outcomes }) => outcomes.length === 1)]).toEqual([1, true]);
    expect(pair.b.core.stats()).toMatchObject({ handlers: 0, waiting: 0 });
  });

  it("one that was cancelled while it waited makes way for the next of its lane", () => {
    const pair = held({}, () => "all");
    const calls = ["a", "b", "c"].map((name) => pair.a.call(name));
    pair.settle();
    pair.a.core.cancel(calls[1]!.call!, new Error("enough"));
    pair.settle();
    answer(pair, 0);
    expect(names(pair)).toEqual(["a", "c"]);
    answer(pair, 1);
    expect(pair.b.core.stats()).toMatchObject({ handlers: 0, waiting: 0 });
  });
});

it("limits.pending: a call beyond it is refused here, and nothing is sent", () => {
  const pair = Pair.greeted({ initiator: { limits: { pending: 1 } } });
  pair.a.call("first");
  pair.settle();
  expect(pair.a.call("second").outcomes).toMatchObject([
    { error: { rule: "limits.pending", mayHaveRun: false } },
  ]);
  expect(pair.a.core.flush()).toEqual([]);
});
