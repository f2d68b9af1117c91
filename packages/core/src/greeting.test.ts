import { acp, codex, jsonrpc, lsp, mcp } from "@sluice/codec";
import { describe, expect, it } from "vitest";
import type { Hello } from "./greeting.ts";
import { LIMITS, withDefaults } from "./limits.ts";
import { helloOf, Scripted } from "./scripted.ts";
import { Pair, TestEnd, TestStream } from "./testing.ts";

const initiator = (options: object = {}): Scripted => new Scripted({ role: "initiator", ...options });

describe("two that greet", () => {
  it("H1: each learns what the other said, and the answer chose one encoding", () => {
    const pair = Pair.greeted({
      initiator: { name: "a", capabilities: { tree: true } },
      acceptor: { name: "b", limits: { window: 4096, streams: 7, message: 200_000 } },
    });
    const [a, b] = [pair.a.seen.peer[0] as Hello, pair.b.seen.peer[0] as Hello];
    expect(b).toMatchObject({ name: "a", capabilities: { tree: true }, encodings: ["frames", "json"] });
    expect(a).toMatchObject({ name: "b", encodings: ["frames"], window: 4096 });
    expect(a.limits).toEqual({ message: 200_000, item: 200_000, streams: 7, calls: 256 + 4096 });
    expect([pair.a.core.phase, pair.b.core.phase, pair.a.core.greeted]).toEqual(["open", "open", true]);
  });

  it("H1: the initiator's order of encodings decides, among those both speak", () => {
    for (const [offered, spoken, chosen] of [
      [["frames", "json"], ["json", "frames"], "frames"],
      [["json", "frames"], ["frames", "json"], "json"],
      [["frames", "json"], ["json"], "json"],
    ] as const) {
      const pair = Pair.greeted({ initiator: { encodings: offered }, acceptor: { encodings: spoken } });
      expect(pair.a.seen.peer[0]?.encodings).toEqual([chosen]);
    }
  });

  it("H1: nothing is sent before the answer, and calls wait for it by being refused", () => {
    const pair = new Pair();
    pair.a.core.start(0);
    pair.b.core.start(0);
    for (const end of [pair.a, pair.b]) {
      expect(end.call("early").outcomes).toMatchObject([{ error: { rule: "H1", mayHaveRun: false } }]);
      expect(() => end.core.notify("early", undefined)).toThrow("H1");
    }
    expect(pair.b.core.flush()).toEqual([]);
    expect(pair.a.core.flush().length).toBe(1);
    expect(pair.a.core.flush()).toEqual([]);
  });

  it("H1: the window of a hello is the first window of every stream its peer writes, whoever mentions it", () => {
    const pair = Pair.greeted({
      initiator: { limits: { window: 5000 } },
      acceptor: { limits: { window: 6000 } },
    });
    const [up, down] = [new TestStream("bytes", "sender"), new TestStream("bytes", "receiver")];
    pair.a.call("m", [up, down]);
    pair.settle();
    expect(up.send.window.granted).toBe(6000);
    expect(down.receive.window.granted).toBe(5000);
    expect(pair.b.seen.received.map(({ window }) => window.granted)).toEqual([6000, 5000]);
  });

  it("H1: nothing changes afterwards: a second hello is answered -32600", () => {
    const script = Scripted.greeted();
    const id = script.call("$/hello", helloOf(["json"]));
    expect(script.heard()).toMatchObject([{ id, error: { code: -32600 } }]);
    expect(script.isWell).toBe(true);
  });

  it("H3: what follows the greeting in the same chunk is frames, in whatever pieces it comes", () => {
    const LF = 0x0a;
    for (const [size, before] of [
      [1, []],
      [7, []],
      [1e9, []],
      [1e9, [LF, LF]], // the greeting is not the first line
    ] as const) {
      let carried = 0;
      const pair = new Pair({
        carry: (chunks) => {
          const all = chunks.flatMap((chunk) => [...(chunk as Uint8Array)]);
          if (carried++ < 2) all.unshift(...before);
          const cut: Uint8Array[] = [];
          for (let at = 0; at < all.length; at += size) cut.push(Uint8Array.from(all.slice(at, at + size)));
          return cut;
        },
      });
      pair.b.onCall = (call) => void call.succeed(call.params);
      // A message of 266 bytes: its frame's head has a byte that is LF's.
      const method = "m".repeat(266 - JSON.stringify({ jsonrpc: "2.0", id: 1, method: "" }).length);
      pair.b.open = () => void pair.b.call(method); // right after its answer
      pair.a.core.start(0);
      pair.b.core.start(0);
      pair.settle();
      expect(pair.a.seen.calls.length).toBe(1);
      const call = pair.a.call("echo", ["é"]);
      pair.settle();
      expect(call.outcomes).toEqual([{ result: ["é"] }]);
    }
  });

  it("H4: frames from the first byte, the greeting in them", () => {
    const options = { framesFromStart: true } as const;
    for (const unit of ["bytes", "messages"] as const) {
      const pair = new Pair({ unit, initiator: options, acceptor: options });
      pair.a.core.start(0);
      const [first] = pair.a.core.flush();
      expect([...(first as Uint8Array).subarray(4, 12)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
      const greeted = Pair.greeted({ unit, initiator: options, acceptor: options });
      expect(greeted.a.seen.peer[0]?.encodings).toEqual(["frames"]);
    }
  });

  it("H4: whoever speaks frames from the start must greet, and choose frames", () => {
    const plain = new Scripted({ framesFromStart: true });
    plain.message({ id: 1, method: "m" });
    expect(plain.core.error).toMatchObject({ code: "greeting", by: "peer" });
    const json = new Scripted({ framesFromStart: true });
    json.message({ id: 1, method: "$/hello", params: helloOf(["json"]) });
    expect(json.core.error).toMatchObject({ code: "greeting" });
    const answers = initiator({ framesFromStart: true });
    answers.message({ id: 1, error: { code: -32601, message: "unknown" } });
    expect(answers.core.error).toMatchObject({ code: "greeting" });
    const speaks = initiator({ framesFromStart: true });
    speaks.message({ method: "hi" });
    expect(speaks.core.error).toMatchObject({ code: "greeting" });
  });
});

describe("a greeting that fails", () => {
  it("H1a: two that initiate, or an echo, are told apart at once", () => {
    const script = initiator();
    const [hello] = script.heard() as [Record<string, unknown>];
    script.message(hello);
    expect(script.core.error).toMatchObject({ code: "protocol", rule: "H1a" });
    const both = [initiator(), initiator()] as const;
    both[0].message(both[1].heard()[0]!);
    expect(both[0].endedBy).toBe("H1a");
  });

  it.each([
    ["no window", { window: undefined }],
    ["a window below 4 KiB", { window: 4095 }],
    ["a window above 16 MiB", { window: 16 * 1024 * 1024 + 1 }],
    ["no version", { version: "1" }],
    ["no limits", { limits: { message: 1 } }],
    ["encodings that are none", { encodings: "frames" }],
    ["no encoding in common", { encodings: ["smoke signals"] }],
    ["another version", { version: 2 }],
  ])("H2: a hello with %s is refused with the versions spoken here, and closes", (_, more) => {
    const script = new Scripted();
    script.message({ id: 1, method: "$/hello", params: helloOf(["frames"], more) });
    expect(script.heard()).toMatchObject([
      { id: 1, error: { code: -32600, data: { sluice: { versions: [1] } } } },
    ]);
    expect(script.core.error).toMatchObject({ code: "greeting", by: "peer" });
    const answered = initiator();
    answered.message({ id: 1, result: helloOf(["frames"], more) });
    expect(answered.core.error).toMatchObject({ code: "greeting", by: "peer" });
  });

  it("H2: an answer that chooses two encodings, or one not offered, closes; one of other versions, too", () => {
    for (const members of [
      { result: helloOf(["frames", "json"]) },
      { result: helloOf([]) },
      { error: { code: -32600, message: "", data: { sluice: { versions: [2] } } } },
    ]) {
      const script = initiator();
      script.message({ id: 1, ...members });
      expect(script.core.error).toMatchObject({ code: "greeting" });
    }
    const script = initiator({ encodings: ["json"] });
    script.message({ id: 1, result: helloOf(["frames"]) });
    expect(script.core.error).toMatchObject({ code: "greeting" });
  });

  it("H6: silence closes either side in time, and a close at once; both name a dialect without greeting (H2)", () => {
    for (const role of ["initiator", "acceptor"] as const) {
      const silent = new Scripted({ role });
      silent.advance(9_999);
      expect(silent.core.error).toBe(undefined);
      silent.advance(1);
      expect(silent.core.error).toMatchObject({ code: "timeout", by: "peer" });
      const ends: ((script: Scripted) => void)[] = [
        (script) => script.core.inputEnded(0),
        (script) => script.core.transportLost(undefined),
      ];
      for (const end of ends) {
        const script = new Scripted({ role });
        end(script);
        expect(script.core.error?.message).toContain("a dialect without greeting");
      }
      expect(silent.core.error?.message).toContain("a dialect without greeting");
      const lost = new Scripted({ role });
      lost.core.transportLost(new Error("EPIPE"));
      expect(lost.core.error).toMatchObject({ code: "lost", by: "transport" });
    }
  });

  it("H6: the time is over with the greeting", () => {
    const script = Scripted.greeted();
    script.advance(1e6);
    expect(script.core.error).toBe(undefined);
  });
});

describe("a plain peer", () => {
  it.each([
    ["an error", { id: 1, error: { code: -32601, message: "unknown" } }],
    ["a result of its own", { id: 1, result: "hello to you" }],
    ["an answer that is none", { id: 1, error: "?" }],
  ])("H2: %s for an answer makes it one, and the session goes on in JSON without streams", (_, answer) => {
    const script = initiator();
    script.heard();
    script.message(answer);
    expect([script.end.seen.peer, script.core.greeted]).toEqual([[undefined], false]);
    const call = script.end.call("m", [1]);
    expect(script.heard()).toEqual([{ jsonrpc: "2.0", id: 2, method: "m", params: [1] }]);
    script.message({ id: 2, result: 1 });
    expect(call.outcomes).toEqual([{ result: 1 }]);
    const refused = script.end.call("m", [new TestStream("bytes", "sender")]);
    expect(refused.outcomes).toMatchObject([
      { error: { _tag: "RefusedError", rule: "H2", mayHaveRun: false } },
    ]);
    expect(script.heard()).toEqual([]);
  });

  it("H2: one that speaks before it answers is plain, and its answer then means nothing", () => {
    const script = initiator();
    script.heard();
    script.message({ id: 1, method: "m" });
    expect(script.end.seen.calls.length).toBe(1);
    script.message({ id: 1, error: { code: -32601, message: "unknown" } });
    expect([script.end.seen.faults, script.core.error, script.core.greeted]).toEqual([[], undefined, false]);
  });

  it("H2: to an acceptor, whoever does not begin with hello is plain, and gets its first call answered", () => {
    const script = new Scripted();
    script.end.onCall = (call) => void call.succeed("ok");
    script.message({ id: 1, method: "m", params: { $stream: 1 } });
    expect(script.heard()).toMatchObject([{ id: 1, result: "ok" }]);
    expect(script.end.seen.calls[0]!.params).toEqual({ $stream: 1 });
    script.message({ id: 2, method: "$/hello", params: helloOf(["json"]) });
    expect(script.heard()).toMatchObject([{ id: 2, error: { code: -32600 } }]);
  });

  it("H2: an invalid request makes its peer a plain one, too, and is answered", () => {
    const script = new Scripted();
    script.message('{"id":7,"method":"m"}');
    expect(script.heard()).toMatchObject([{ id: 7, error: { code: -32600 } }]);
    expect(script.core.greeted).toBe(false);
  });

  it("H2: a stray print before the greeting is counted, and neither answered nor taken for a message", () => {
    for (const role of ["initiator", "acceptor"] as const) {
      const script = new Scripted({ role });
      script.heard();
      script.message("Debugger listening on port 9229");
      script.message("{oops");
      expect([script.heard(), script.core.phase, script.end.seen.faults.length]).toEqual([[], "greeting", 2]);
    }
  });

  it("H5: a dialect without greeting says nothing of it, and passes `$/` requests on as they are", () => {
    for (const dialect of [acp, mcp, codex, lsp]) {
      const script = initiator({ dialect });
      expect([script.heard(), script.end.seen.peer]).toEqual([[], [undefined]]);
      script.message({ id: 1, method: "$/hello", params: helloOf(["json"]) });
      script.message({ method: "$/ping", params: { token: "0".repeat(16) } });
      expect(script.end.seen.calls.map(({ method }) => method)).toEqual(["$/hello"]);
      expect(script.end.seen.notifications.map(({ method }) => method)).toEqual(["$/ping"]);
      script.core.close();
      expect(script.heard()).toEqual([]);
    }
    expect(jsonrpc.greets).toBe(true);
  });

  it("F3: in JSON unknown `$/` notifications of a greeted peer are no fault, and requests the application's to answer", () => {
    const script = Scripted.greeted({ encoding: "json" });
    script.message({ method: "$/new/thing", params: {} });
    script.call("$/new/question");
    expect([script.end.seen.faults, script.end.seen.notifications.length]).toEqual([[], 1]);
    expect(script.end.seen.calls[0]!.method).toBe("$/new/question");
  });

  it("H1: a frame before the greeting closes the session", () => {
    const script = new Scripted({ framesFromStart: true });
    script.frame({ type: "ping", token: "0".repeat(16) });
    expect(script.endedBy).toBe("H1");
  });
});

it("H1: a window out of range, or a limit that is none, is refused where it is set", () => {
  const bad: Partial<typeof LIMITS>[] = [
    { window: 4095 },
    { window: 2 ** 24 + 1 },
    { window: 5000.5 },
    { calls: 0 },
    { ping: Number.NaN },
    { outbox: -1 },
  ];
  for (const limits of bad) {
    expect(() => withDefaults(limits)).toThrow(RangeError);
    expect(() => new TestEnd({ role: "initiator", unit: "bytes", limits })).toThrow(
      `limits.${Object.keys(limits)[0]}`,
    );
  }
  expect(withDefaults({ message: 200_000 }).item).toBe(200_000);
  expect(withDefaults()).toEqual(LIMITS);
});
