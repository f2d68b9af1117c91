import { describe, expect, it } from "vitest";
import { Scripted } from "./scripted.ts";
import { TestStream } from "./testing.ts";
import type { ReceiveHalf, SendHalf } from "@sluice/streams";

const mention = (id: number, by: "sender" | "receiver" = "sender", of: string = "bytes"): object => ({
  $stream: id,
  of,
  by,
});

describe("late frames", () => {
  it("S13: for a stream that is gone they are dropped and counted, and past the budget the session closes", () => {
    const script = Scripted.greeted();
    script.call("m", mention(1));
    script.data(1, "x", { end: true });
    for (let i = 0; i < 100; i++) script.data(1, "late");
    expect([script.end.seen.faults.length, script.core.error]).toEqual([100, undefined]);
    script.now += 1000;
    expect(script.isWell).toBe(true);
    for (let i = 0; i < 101; i++) script.frame({ type: "end", id: 1, offset: 1 });
    expect(script.endedBy).toBe("limits.faults");
  });

  it("S8: data, end and reset after the writer's own end or reset are faults", () => {
    for (const over of [
      { type: "end", id: 1, offset: 0 },
      { type: "reset", id: 1, code: 0, message: "" },
    ] as const) {
      const script = Scripted.greeted();
      script.call("m", mention(1));
      script.frame(over);
      script.data(1, "x");
      script.frame({ type: "end", id: 1, offset: 1 });
      script.frame({ type: "reset", id: 1, code: 1, message: "" });
      expect(script.end.seen.faults.map(({ rule }) => rule)).toEqual(["S13", "S13", "S13"]);
    }
  });

  it("S13: three grants or stops that crossed our end are expected, a fourth is counted", () => {
    const script = Scripted.greeted();
    script.call("m", mention(1, "receiver"));
    (script.end.seen.received[0] as SendHalf).end();
    script.heard();
    for (let i = 1; i <= 3; i++) script.frame({ type: "grant", id: 1, offset: i });
    expect(script.end.seen.faults).toEqual([]);
    script.frame({ type: "stop", id: 1, code: 0, message: "" });
    expect(script.end.seen.faults.length).toBe(1);
  });
});

describe("a flood", () => {
  it("C7: of resets closes the session", () => {
    const script = Scripted.greeted({ limits: { resets: 50 } });
    for (let id = 1; id <= 101 && script.core.error === undefined; id += 2) {
      script.call("m", mention(id));
      script.frame({ type: "reset", id, code: 0, message: "" });
    }
    expect(script.core.error).toMatchObject({ code: "limit", rule: "C7", by: "peer" });
    expect(script.end.seen.calls.length).toBe(51);
  });

  it("C7: of stops closes the session", () => {
    const script = Scripted.greeted({ limits: { resets: 50 } });
    for (let id = 1; id <= 101 && script.core.error === undefined; id += 2) {
      script.call("m", mention(id, "receiver"));
      script.frame({ type: "stop", id, code: 0, message: "" });
    }
    expect(script.endedBy).toBe("C7");
  });

  it.each<[what: string, step: (script: Scripted, id: number) => void]>([
    [
      "calls with streams, cancelled at once",
      (script, id) => {
        const call = script.call("m", mention(id));
        script.message({ method: "$/cancelRequest", params: { id: call } });
      },
    ],
    [
      "items larger than we take",
      (script, id) => {
        script.call("m", mention(id, "sender", "items"));
        script.data(id, `"${"x".repeat(200)}"`, { item: true });
      },
    ],
    ["streams of a kind nobody knows", (script, id) => void script.call("m", mention(id, "sender", "video"))],
    [
      "answers with streams that nobody waits for",
      (script, id) => script.message({ id: 900, result: mention(id) }),
    ],
    [
      "calls with streams that are turned away",
      (script, id) => void script.call("m", mention(id), { deadline: 0 }),
    ],
  ])("C7: of %s counts what it makes us reset", (_, step) => {
    const script = Scripted.greeted({ limits: { resets: 50, item: 100, faults: 1000 } });
    let steps = 0;
    while (script.core.error === undefined && steps < 200) step(script, 2 * steps++ + 1);
    expect([script.endedBy, steps]).toEqual(["C7", 51]);
  });

  it("L4: of grants, of pings and of single bytes costs one grant, one pong and their bytes", () => {
    const script = Scripted.greeted();
    script.call("m", [mention(1, "receiver"), mention(3)]);
    for (let i = 1; i <= 1000; i++) {
      script.frame({ type: "grant", id: 1, offset: i });
      script.frame({ type: "ping", token: i.toString(16).padStart(16, "0") });
      script.data(3, "x");
    }
    expect(script.core.stats()).toMatchObject({ unread: 1000, faults: 0 });
    expect(script.heard()).toEqual([{ type: "pong", token: (1000).toString(16).padStart(16, "0") }]);
    expect((script.end.seen.received[1] as ReceiveHalf).read()).toHaveLength(1000);
    expect(script.isWell).toBe(true);
  });
});

describe("limits of streams", () => {
  it("S14: a call beyond `limits.streams` is answered -32013 without running, and its streams dropped", () => {
    const script = Scripted.greeted({ limits: { streams: 2 } });
    script.call("m", [mention(1), mention(3, "receiver")]);
    const refused = script.call("m", [mention(5), mention(7, "receiver")]);
    expect(script.heard()).toMatchObject([
      { id: refused, error: { code: -32013 } },
      { type: "stop", id: 5, code: 5 },
      { type: "reset", id: 7, code: 5 },
    ]);
    expect(script.end.seen.calls.length).toBe(1);
    script.data(5, "crossed our stop");
    script.frame({ type: "reset", id: 5, code: 5, message: "" });
    script.frame({ type: "stop", id: 7, code: 0, message: "" });
    expect([script.end.seen.faults, script.core.stats().stopping]).toEqual([[], 0]);
    expect(script.isWell).toBe(true);
  });

  it("S14: a stream that is stopping counts until its end", () => {
    const script = Scripted.greeted({ limits: { streams: 1 } });
    script.call("m", mention(1));
    (script.end.seen.received[0] as ReceiveHalf).stop(0, "");
    expect(script.core.stats()).toMatchObject({ streams: 0, stopping: 1 });
    script.call("m", mention(3));
    expect(script.answers()).toMatchObject([{ error: { code: -32013 } }]);
    script.frame({ type: "reset", id: 1, code: 0, message: "" });
    script.frame({ type: "reset", id: 3, code: 5, message: "" });
    script.call("m", mention(5));
    expect([script.answers(), script.end.seen.calls.length]).toEqual([[], 2]);
  });

  it("S14: a call with streams is answered -32012 while too much lies unread, ended streams included", () => {
    const script = Scripted.greeted({ limits: { unread: 1000 } });
    script.call("m", mention(1));
    script.data(1, new Uint8Array(1001), { end: true });
    script.call("m", mention(3));
    expect(script.heard()).toMatchObject([{ error: { code: -32012 } }, { type: "stop", id: 3, code: 5 }]);
    expect(script.isWell).toBe(true); // a call without streams
    (script.end.seen.received[0] as ReceiveHalf).read();
    script.call("m", mention(5));
    expect([script.answers(), script.core.stats().handlers]).toEqual([[], 2]);
  });

  it("S14: in an answer the call fails here, and what it had mentioned is dropped, too (S10)", () => {
    const script = Scripted.greeted({ limits: { streams: 1 } });
    const call = script.end.call("ours", { body: new TestStream("bytes", "sender") });
    const [{ id }] = script.heard() as [{ id: number }];
    script.message({ id, result: [mention(1), mention(3)] });
    expect(call.outcomes).toMatchObject([{ error: { _tag: "StreamError", code: 2 } }]);
    expect(script.heard()).toMatchObject([
      { type: "stop", id: 1, code: 5 },
      { type: "stop", id: 3, code: 5 },
      { type: "reset", id: 2, code: 5 },
    ]);
    expect(script.core.stats()).toMatchObject({ streams: 0, stopping: 2, calls: 0 });
  });

  it("S14: more than the peer takes is refused here before anything is sent", () => {
    const limits = { message: 1e6, item: 1e6, streams: 1, calls: 1 };
    const script = Scripted.greeted({ hello: { limits } });
    const two = [new TestStream("bytes", "sender"), new TestStream("bytes", "receiver")];
    expect(script.end.call("m", two).outcomes).toMatchObject([
      { error: { _tag: "RefusedError", rule: "S14" } },
    ]);
    expect(script.heard()).toEqual([]);
  });

  it("S1: a stream of an unknown kind is dropped with code 5, whatever it has sent, and stands as null", () => {
    const script = Scripted.greeted();
    script.call("m", { a: mention(1, "sender", "video"), b: mention(3) });
    script.data(1, "frame", { item: true });
    script.data(1, "frame");
    expect(script.heard()).toMatchObject([{ type: "stop", id: 1, code: 5 }]);
    expect(script.end.seen.calls[0]!.params).toMatchObject({ a: null, b: script.end.seen.received[0] });
    script.frame({ type: "reset", id: 1, code: 5, message: "" });
    expect(script.core.stats().stopping).toBe(0);
  });

  it("S6: a never-reading reader holds its own stream and no other, nor any call: not even at the 65th chunk", () => {
    const script = Scripted.greeted();
    script.call("m", [mention(1), mention(3)]);
    for (let i = 0; i < 200; i++) script.data(1, new Uint8Array(1000));
    script.data(3, "through");
    expect(new TextDecoder().decode((script.end.seen.received[1] as ReceiveHalf).read() as Uint8Array)).toBe(
      "through",
    );
    expect(script.isWell).toBe(true);
  });
});

describe("items nobody can read", () => {
  it("S7: in JSON an item too deep fails its stream when its turn comes, and no other", () => {
    const script = Scripted.greeted({ encoding: "json" });
    script.call("m", [mention(1, "sender", "items"), mention(3)]);
    const deep = `${"[".repeat(200)}${"]".repeat(200)}`;
    const item = (text: string, end: string): void =>
      script.message(
        `{"jsonrpc":"2.0","method":"$/stream/data","params":{"id":1,"item":${text},"size":${text.length}${end}}}`,
      );
    item("1", "");
    item(deep, ',"end":true');
    const half = script.end.seen.received[0] as ReceiveHalf;
    expect([half.read(), half.read(), half.isOver, half.error?.code]).toEqual([1, undefined, true, 3]);
    expect(script.core.stats()).toMatchObject({ streams: 1, stopping: 0, faults: 1 });
    expect(script.isWell).toBe(true);
  });
});
