// The session machine against a peer that the test plays: what is told from what, and what is said.
import { StreamCode } from "@sluice/streams";
import { describe, expect, it } from "vitest";
import { cancelPayload, closePayload, VERB } from "./control.ts";
import { ErrorCode, RapaceError, writeError } from "./error.ts";
import { FLAG } from "./frame.ts";
import { brief, frameBytes, hex, text, utf8 } from "./frames.testing.ts";
import type { Reader } from "./reader.ts";
import {
  DATA,
  END,
  ERROR,
  CONTROL,
  readAll,
  cancelOf,
  ANSWER,
  REQUEST,
  Scripted,
  STREAM,
} from "./scripted.testing.ts";

describe("calls", () => {
  it("R8: are answered by the next frame of method 0 on their channel", () => {
    const peer = new Scripted();
    const [one, two] = [peer.call(7, utf8("1")), peer.call(8, utf8("2"))];
    expect(peer.brief()).toEqual(["1/7 data|eos 31", "3/8 data|eos 32"]);
    peer.says({ channel: 3, flags: ANSWER }, utf8("b")).says({ channel: 1, flags: ANSWER }, utf8("a"));
    expect([one.outcomes, two.outcomes]).toEqual([[{ result: utf8("a") }], [{ result: utf8("b") }]]);
    peer.says({ channel: 1, flags: ANSWER }, utf8("again"));
    expect([one.outcomes.length, peer.machine.late, peer.seen.faults]).toEqual([1, 1, []]);
  });

  it("R7: fail with the error that the peer answers, whatever stands behind it", () => {
    const payload = (code: number, length: number, message: string): Uint8Array => {
      const bytes = writeError({ code, message });
      new DataView(bytes.buffer).setUint32(4, length, true);
      return bytes;
    };
    const cases: [Uint8Array, number, string][] = [
      [payload(4, 3, "no, not here"), ErrorCode.notFound, "no,"],
      [payload(77, 2, "hm"), ErrorCode.internal, "hm"],
      [payload(4, 9, "short"), ErrorCode.internal, "malformed error response"],
      [new Uint8Array(7), ErrorCode.internal, "malformed error response"],
      [hex("0300000002000000ff41"), ErrorCode.invalidArgument, "\ufffdA"],
    ];
    for (const [bytes, code, message] of cases) {
      const peer = new Scripted();
      const { outcomes } = peer.call();
      peer.says({ channel: 1, flags: ERROR }, bytes);
      expect(outcomes).toEqual([{ error: expect.objectContaining({ _tag: "RapaceError", code, message }) }]);
    }
  });

  it("R8: a request on the channel of a pending call is no answer to it", () => {
    const peer = new Scripted();
    const { outcomes } = peer.call();
    peer.says({ channel: 1, method: 9, flags: REQUEST }, utf8("mine"));
    expect([outcomes, peer.seen.requests]).toEqual([[], []]);
    expect(peer.seen.faults).toEqual([{ rule: "R5", message: "a request on a channel of ours" }]);
    peer.says({ channel: 1, flags: ANSWER }, utf8("real"));
    expect(outcomes).toEqual([{ result: utf8("real") }]);
  });

  it("R9: control, and frames without data, complete no call", () => {
    const peer = new Scripted();
    const { outcomes } = peer.call();
    peer
      .says({ channel: 1, flags: 0 }, utf8("stray"))
      .says({ channel: 1, flags: FLAG.control | DATA }, utf8("stray"))
      .says({ channel: 0, method: 77, flags: CONTROL }, utf8("what"))
      .says({ channel: 0, flags: ANSWER }, utf8("on 0"));
    expect([outcomes, peer.seen.faults.map(({ rule }) => rule)]).toEqual([[], ["R8", "R9", "R9"]]);
  });

  it("R8: a channel that the peer ends without an answer leaves nobody waiting", () => {
    const peer = new Scripted();
    const { outcomes } = peer.call();
    peer.says({ channel: 1, flags: FLAG.eos });
    expect(outcomes).toMatchObject([{ error: { code: ErrorCode.internal } }]);
  });

  it("R9: given up, the peer is told once, the waiter is gone, and the late answer is dropped", () => {
    const peer = new Scripted();
    const { call, outcomes } = peer.call();
    peer.said();
    peer.machine.calls.giveUp(call!, new Error("enough"));
    peer.machine.calls.giveUp(call!, new Error("again"));
    expect([peer.machine.calls.size, outcomes.length, peer.brief()]).toEqual([
      0,
      1,
      ["0/3 control|eos 020100"],
    ]);
    peer.says({ channel: 1, flags: ANSWER });
    expect([outcomes.length, peer.machine.late, peer.seen.faults, peer.seen.requests]).toEqual([
      1,
      1,
      [],
      [],
    ]);
  });

  it("end at their timeout, or at limits.call, and say so", () => {
    const peer = new Scripted({ limits: { call: 100 } });
    const [short, long] = [peer.call(7, utf8(""), { timeout: 10 }), peer.call()];
    peer.said();
    peer.advance(10);
    expect([short.outcomes, long.outcomes]).toMatchObject([
      [{ error: { _tag: "TimeoutError", ms: 10 } }],
      [],
    ]);
    expect(peer.brief()).toEqual(["0/3 control|eos 020101"]);
    peer.advance(90);
    expect(long.outcomes).toMatchObject([{ error: { _tag: "TimeoutError" } }]);
    expect(peer.machine.deadlines.next).toBe(undefined);
  });

  it("R9: fail when the peer cancels their channel", () => {
    const peer = new Scripted();
    const { outcomes } = peer.call();
    peer.says({ channel: 0, method: VERB.cancelChannel, flags: CONTROL }, cancelPayload(1, "exhausted"));
    expect(outcomes).toMatchObject([{ error: { code: ErrorCode.cancelled } }]);
  });

  it.each([
    ["limits.pending", { limits: { pending: 1 } }, 1],
    ["limits.frame", { limits: { frame: 3 } }, 0],
  ] as const)("beyond %s are refused here, and nothing is sent", (rule, options, before) => {
    const peer = new Scripted(options);
    for (let i = 0; i < before; i++) peer.call();
    peer.said();
    const { call, outcomes } = peer.call(7, utf8("four"));
    expect([call, peer.said()]).toEqual([undefined, []]);
    expect(outcomes).toMatchObject([{ error: { _tag: "RefusedError", rule, mayHaveRun: false } }]);
  });

  it("are refused while the peer does not read, before the session would end over it", () => {
    const peer = new Scripted({ limits: { outbox: 1000 } });
    for (let i = 0; i < 8; i++) peer.call();
    expect(peer.call().outcomes).toMatchObject([{ error: { rule: "limits.outbox" } }]);
    expect(peer.machine.error).toBe(undefined);
  });

  it("R6: have a number from 1 on", () => {
    for (const method of [0, -1, 1.5, 2 ** 32]) {
      const { outcomes } = new Scripted().call(method);
      expect(outcomes).toMatchObject([{ error: { _tag: "RefusedError", rule: "R6" } }]);
    }
  });
});

describe("channels (R5)", () => {
  it("R5: the initiator's are odd, the acceptor's even, two apart", () => {
    for (const [role, first] of [
      ["initiator", 1],
      ["acceptor", 2],
    ] as const) {
      const peer = new Scripted({ role });
      for (let i = 0; i < 3; i++) peer.call();
      expect(peer.said().map(({ channel }) => channel)).toEqual([first, first + 2, first + 4]);
    }
    expect(() => new Scripted({ role: "acceptor", firstChannel: 1 })).toThrow("firstChannel must be even");
  });

  it("R5: begin again after the last one, passing over those that are in use", () => {
    const peer = new Scripted({ firstChannel: 0xffff_fffd });
    const opened = [peer.machine.nextChannel(), peer.machine.nextChannel()];
    expect([...opened, peer.machine.nextChannel()]).toEqual([0xffff_fffd, 0xffff_ffff, 1]);
    const around = new Scripted({ firstChannel: 0xffff_ffff });
    const { call } = around.call();
    around.machine.register(around.machine.nextChannel(), {});
    expect([call?.channel, around.machine.nextChannel()]).toEqual([0xffff_ffff, 3]);
    around.machine.calls.giveUp(call!, new Error("enough"));
    around.says({ channel: 0xffff_ffff, flags: ANSWER });
    expect(around.machine.late).toBe(1);
  });

  it("R5: a request on a channel of ours is refused, so that nobody waits for its answer", () => {
    const peer = new Scripted();
    peer.says({ channel: 5, method: 9, flags: REQUEST });
    const [answer] = peer.said();
    expect(brief(answer!)).toMatch(/^5\/0 eos\|error 03000000/);
    expect(text(answer!.payload.subarray(8))).toContain("belongs to the other end");
    expect(peer.seen.requests).toEqual([]);
  });

  it("R5: an answer on a channel that was never opened is a fault", () => {
    const peer = new Scripted();
    peer.says({ channel: 5, flags: ANSWER });
    expect(peer.seen.faults).toMatchObject([{ rule: "R5" }]);
  });

  it("R5: a second request on a channel that runs one is dropped", () => {
    const peer = new Scripted({ role: "acceptor" });
    peer.says({ channel: 1, method: 9, flags: REQUEST }, utf8("1"));
    peer.says({ channel: 1, method: 9, flags: REQUEST }, utf8("2"));
    expect([peer.seen.requests.length, peer.seen.faults.length]).toEqual([1, 1]);
    peer.seen.requests[0]!.succeed(utf8("a"));
    peer.says({ channel: 1, method: 9, flags: REQUEST }, utf8("3"));
    expect([peer.seen.requests.length, peer.brief()]).toEqual([2, ["1/0 data|eos 61"]]);
  });
});

describe("requests", () => {
  const served = (options = {}): Scripted => new Scripted({ role: "acceptor", ...options });

  it("R8: are answered exactly once", () => {
    const peer = served().says({ channel: 1, method: 9, flags: REQUEST }, utf8("q"));
    const [request] = peer.seen.requests;
    expect([request?.method, text(request?.payload), request?.noReply, request?.hasBody]).toEqual([
      9,
      "q",
      false,
      false,
    ]);
    expect([
      request?.succeed(utf8("a")),
      request?.succeed(utf8("b")),
      request?.fail(new RapaceError(1, "")),
    ]).toEqual([true, false, false]);
    expect(peer.brief()).toEqual(["1/0 data|eos 61"]);
    expect(peer.machine.requests.running).toBe(0);
  });

  it("R7: are answered by an error", () => {
    const peer = served().says({ channel: 1, method: 9, flags: REQUEST });
    peer.seen.requests[0]!.fail(new RapaceError(3, "no"));
    expect(peer.brief()).toEqual(["1/0 eos|error 03000000020000006e6f"]);
  });

  it("run up to limits.running, wait up to limits.waiting, and are turned away beyond", () => {
    const peer = served({ limits: { running: 1, waiting: 1 } });
    for (const channel of [1, 3, 5]) peer.says({ channel, method: 9, flags: REQUEST });
    expect([peer.machine.requests.running, peer.machine.requests.waiting]).toEqual([1, 1]);
    expect(peer.brief()).toEqual([expect.stringMatching(/^5\/0 eos\|error 07000000/)]);
    peer.seen.requests[0]!.succeed(utf8(""));
    expect(peer.seen.requests.map(({ channel }) => channel)).toEqual([1, 3]);
    peer.says({ channel: 0, method: 9, flags: STREAM }).says({ channel: 0, method: 9, flags: STREAM });
    expect(peer.seen.faults).toMatchObject([{ rule: "limits.waiting" }]);
  });

  it("hold on to no more than themselves while they wait, and so do chunks", () => {
    const peer = served({ limits: { running: 1 } });
    const large = frameBytes({ channel: 98, flags: DATA }, new Uint8Array(50_000));
    for (const channel of [1, 3]) {
      const small = frameBytes({ channel, method: 9, flags: REQUEST }, utf8("small"));
      const both = new Uint8Array(small.length + large.length);
      both.set(small);
      both.set(large, small.length);
      peer.machine.receive(both, 0);
    }
    const first = peer.seen.requests[0]!;
    first.succeed(utf8(""));
    expect(peer.seen.requests.map(({ payload }) => text(payload))).toEqual(["small", "small"]);
    expect(peer.seen.requests[1]!.payload.buffer.byteLength).toBe(5);
  });

  it("R9: cancelled, a request's handler hears of it, and nothing is said any more", () => {
    const peer = served().says({ channel: 1, method: 9, flags: REQUEST });
    const [request] = peer.seen.requests;
    const heard: Error[] = [];
    request!.onCancel = (reason): void => void heard.push(reason);
    const cancel = (): Scripted =>
      peer.says({ channel: 0, method: VERB.cancelChannel, flags: CONTROL }, cancelPayload(1, "client"));
    cancel();
    cancel();
    expect([heard.length, request!.succeed(utf8("late")), peer.said()]).toEqual([1, true, []]);
    cancel();
    expect([peer.machine.requests.running, peer.seen.faults]).toEqual([0, []]);
  });

  it("R9: cancelled while it waits, a request never runs", () => {
    const peer = served({ limits: { running: 1 } });
    peer.says({ channel: 1, method: 9, flags: REQUEST }).says({ channel: 3, method: 9, flags: REQUEST });
    peer.says({ channel: 0, method: VERB.cancelChannel, flags: CONTROL }, cancelPayload(3, "client"));
    peer.seen.requests[0]!.succeed(utf8(""));
    expect([peer.seen.requests.length, peer.machine.requests.running]).toEqual([1, 0]);
    expect(peer.said().map(({ channel }) => channel)).toEqual([1]);
  });

  it("R9: cancelled while it waits, a request makes no room for another", () => {
    const peer = served({ limits: { running: 1 } });
    for (const channel of [1, 3, 5]) peer.says({ channel, method: 9, flags: REQUEST });
    peer.says({ channel: 0, method: VERB.cancelChannel, flags: CONTROL }, cancelPayload(3, "client"));
    expect([peer.seen.requests.length, peer.machine.requests.running]).toEqual([1, 1]);
  });

  it("R9: a notification on channel 0 runs and is never answered", () => {
    for (const flags of [STREAM, REQUEST]) {
      const peer = served().says({ channel: 0, method: 9, flags }, utf8("n"));
      const [request] = peer.seen.requests;
      expect([request?.noReply, text(request?.payload)]).toEqual([true, "n"]);
      request!.fail(new RapaceError(3, "no"));
      expect([peer.said(), peer.machine.requests.running]).toEqual([[], 0]);
    }
  });

  it("R8: a request without data, or a chunk of a channel it has not opened, is never run", () => {
    const peer = served();
    peer.says({ channel: 1, method: 9, flags: FLAG.eos }).says({ channel: 3, flags: DATA }, utf8("chunk"));
    expect([peer.seen.requests, peer.said(), peer.machine.tunnels.early.size]).toEqual([[], [], 1]);
  });

  it("R10: a request whose deadline has passed on a clock that both read is not run", () => {
    let clock = 1000n;
    const peer = served({ clock: () => clock });
    peer.says({ channel: 1, method: 9, flags: REQUEST, deadline: 2000n });
    clock = 2001n;
    peer.says({ channel: 3, method: 9, flags: REQUEST, deadline: 2000n });
    expect(peer.seen.requests.map(({ channel }) => channel)).toEqual([1]);
    expect(peer.brief()).toEqual([expect.stringMatching(/^3\/0 eos\|error 02000000/)]);
    peer.call(7, utf8(""), { timeout: 5 });
    expect(peer.said()[0]!.deadline).toBe(2001n + 5_000_000n);
  });

  it("a deadline of a clock that is not shared is not looked at", () => {
    const peer = served().says({ channel: 1, method: 9, flags: REQUEST, deadline: 1n });
    expect(peer.seen.requests[0]?.deadline).toBe(1n);
    peer.call(7, utf8(""), { timeout: 5 });
    expect(peer.said()[0]!.deadline).toBe(undefined);
  });
});

describe("answers of many items", () => {
  const streaming = (): Scripted =>
    new Scripted({ role: "acceptor" }).says({ channel: 1, method: 9, flags: STREAM });

  it("R8: are items of data and an end without", () => {
    const peer = streaming();
    const [request] = peer.seen.requests;
    const writer = request!.stream();
    writer.write(utf8("a"));
    writer.write(utf8(""));
    writer.end();
    expect(peer.brief()).toEqual(["1/0 data 61", "1/0 data", "1/0 eos"]);
    expect([writer.state, request!.succeed(utf8("")), peer.said()]).toEqual(["ended", true, []]);
  });

  it("R7: end by an error", () => {
    const peer = streaming();
    const writer = peer.seen.requests[0]!.stream();
    writer.write(utf8("never sent"));
    writer.reset(new Error("ours"), new RapaceError(4, "gone"));
    expect(peer.brief()).toEqual(["1/0 eos|error 0400000004000000676f6e65"]);
  });

  it("R8: of nothing are an end, and of a mistake an error: nobody waits for them for ever", () => {
    const peer = streaming();
    peer.seen.requests[0]!.succeed(utf8("ignored"));
    peer.says({ channel: 3, method: 9, flags: STREAM });
    peer.seen.requests[1]!.fail(new RapaceError(3, ""));
    expect(peer.brief()).toEqual(["1/0 eos", "3/0 eos|error 0300000000000000"]);
  });

  it("R9: stop when the peer cancels them", () => {
    const peer = streaming();
    const writer = peer.seen.requests[0]!.stream();
    writer.write(utf8("a"));
    peer.says({ channel: 0, method: VERB.cancelChannel, flags: CONTROL }, cancelPayload(1, "client"));
    expect([writer.isOver, writer.error, peer.said()]).toMatchObject([
      true,
      { code: StreamCode.cancelled, by: "peer" },
      [],
    ]);
  });

  it("R8: that we asked for end with an empty end, with a last item, or with an error", () => {
    for (const [flags, payload, items, error] of [
      [FLAG.eos, "", ["a"], undefined],
      [END, "", ["a"], undefined],
      [END, "b", ["a", "b"], undefined],
      [ERROR, "\u0004\u0000\u0000\u0000\u0001\u0000\u0000\u0000x", ["a"], { code: 4, message: "x" }],
      [FLAG.error, "", ["a"], { code: ErrorCode.internal }],
    ] as const) {
      const peer = new Scripted();
      const reader = peer.machine.stream(9, utf8("3"), {}, false);
      expect(peer.brief()).toEqual(["1/9 data|eos|noReply 33"]);
      peer.says({ channel: 1, flags: DATA }, utf8("a")).says({ channel: 1, flags }, utf8(payload));
      expect([readAll(reader), reader.isOver, peer.machine.tunnels.open]).toEqual([items, true, 0]);
      if (error === undefined) expect(reader.error).toBe(undefined);
      else expect(reader.error).toMatchObject(error);
      peer.says({ channel: 1, flags: DATA }, utf8("late"));
      expect([peer.machine.late, peer.seen.requests, peer.machine.tunnels.early.size]).toEqual([1, [], 0]);
    }
  });

  it("R11: that are not read in time fail, and the peer is told at once that no more is wanted", () => {
    const peer = new Scripted();
    const reader = peer.machine.stream(9, utf8(""), { chunks: 1 }, false);
    peer.said();
    peer.says({ channel: 1, flags: DATA }, utf8("a")).says({ channel: 1, flags: DATA }, utf8("b"));
    expect([peer.brief(), peer.machine.tunnels.open]).toEqual([[cancelOf(1)], 0]);
    expect([readAll(reader), reader.error]).toMatchObject([["a"], { code: StreamCode.limit, by: "us" }]);
  });

  it("R9: left early, the peer is told once, and what it still sends is dropped", () => {
    const peer = new Scripted();
    const reader = peer.machine.stream(9, utf8(""), {}, true);
    const body = peer.machine.body(1);
    peer.said();
    reader.stop();
    reader.stop();
    expect([peer.brief(), body.isOver]).toEqual([[cancelOf(1)], true]);
    peer.says({ channel: 1, flags: DATA }, utf8("late")).says({ channel: 1, flags: FLAG.eos });
    expect([peer.machine.late, peer.machine.tunnels.open, peer.said()]).toEqual([2, 0, []]);
  });
});

describe("bodies", () => {
  it("R8: of a call are chunks behind its request, the last an end; the answer ends them", () => {
    const peer = new Scripted();
    const { outcomes } = peer.call(7, utf8("q"), { body: true });
    const body = peer.machine.body(1);
    body.write(utf8("a"));
    body.write(utf8("b"));
    expect(peer.brief()).toEqual(["1/7 data 71", "1/0 data 61", "1/0 data 62"]);
    body.write(utf8("unsent"));
    peer.says({ channel: 1, flags: ANSWER }, utf8("enough"));
    expect([outcomes.length, body.isOver, peer.machine.tunnels.open]).toEqual([1, true, 0]);
    expect(peer.brief()).toEqual([expect.stringMatching(/^1\/0 eos\|error 01000000/)]);
  });

  it("R8: of a request are read behind it, what came before it was asked for too; its answer ends them", () => {
    const peer = new Scripted({ role: "acceptor" });
    peer.says({ channel: 1, method: 9, flags: DATA }, utf8("q")).says({ channel: 1, flags: DATA }, utf8("a"));
    const [request] = peer.seen.requests;
    const body = request!.body({});
    peer.says({ channel: 1, flags: END }, utf8("b"));
    expect([readAll(body), body.isOver, body.error]).toEqual([["a", "b"], true, undefined]);
    request!.succeed(utf8("sum"));
    expect([peer.brief(), peer.machine.tunnels.open]).toEqual([["1/0 data|eos 73756d"], 0]);
  });

  it("R8: that nobody reads are dropped once the request is answered", () => {
    const peer = new Scripted({ role: "acceptor" });
    peer.says({ channel: 1, method: 9, flags: DATA }).says({ channel: 1, flags: DATA }, utf8("a"));
    peer.seen.requests[0]!.succeed(utf8(""));
    peer.says({ channel: 1, flags: DATA }, utf8("b")).says({ channel: 1, flags: END });
    expect([peer.machine.tunnels.early.size, peer.machine.late, peer.seen.requests.length]).toEqual([
      0, 2, 1,
    ]);
  });

  it("R5: belong to the request that is on the channel now", () => {
    const peer = new Scripted({ role: "acceptor" });
    peer.says({ channel: 1, method: 9, flags: DATA });
    peer.seen.requests[0]!.succeed(utf8(""));
    peer.says({ channel: 1, flags: DATA }, utf8("late"));
    peer.says({ channel: 1, method: 9, flags: DATA }).says({ channel: 1, flags: END }, utf8("now"));
    expect(readAll(peer.seen.requests[1]!.body({}))).toEqual(["now"]);
  });

  it("R8: left early do not cancel the request", () => {
    const peer = new Scripted({ role: "acceptor" });
    peer.says({ channel: 1, method: 9, flags: DATA });
    const [request] = peer.seen.requests;
    request!.body({}).stop();
    request!.succeed(utf8("a"));
    expect(peer.brief()).toEqual(["1/0 data|eos 61"]);
  });

  it("R8: of a request that was whole are over at once", () => {
    const peer = new Scripted({ role: "acceptor" }).says({ channel: 1, method: 9, flags: REQUEST });
    const body = peer.seen.requests[0]!.body({});
    expect([body.read(), body.isOver, body.error]).toEqual([undefined, true, undefined]);
    peer.says({ channel: 1, flags: DATA }, utf8("more"));
    peer.seen.requests[0]!.succeed(utf8(""));
    expect(peer.machine.tunnels.open).toBe(0);
  });
});

describe("control (R9)", () => {
  it.each([
    ["8 bytes", "deadbeefcafebabe", "deadbeefcafebabe"],
    ["its verb and 8 bytes", "04deadbeefcafebabe", "05deadbeefcafebabe"],
  ])("R9: a ping of %s is answered in its form", (_, ping, pong) => {
    const peer = new Scripted().says({ channel: 0, method: VERB.ping, flags: CONTROL }, hex(ping));
    expect(peer.brief()).toEqual([`0/6 control|eos ${pong}`]);
  });

  it.each([
    ["a ping of 7 bytes", VERB.ping, "00000000000000"],
    ["a cancel that is cut", VERB.cancelChannel, "0201"],
    ["a cancel with another verb inside", VERB.cancelChannel, "030100"],
    ["a grant of more than 32 bits", VERB.grantCredits, "0301ffffffff7f"],
    ["a close whose text is cut", VERB.closeChannel, "01010105aa"],
  ])("R9: %s is a fault, and nothing is said", (_, method, payload) => {
    const peer = new Scripted().says({ channel: 0, method, flags: CONTROL }, hex(payload));
    expect([peer.seen.faults.length, peer.said()]).toEqual([1, []]);
  });

  it("R9: pongs, OpenChannel and verbs that are not known mean nothing", () => {
    const peer = new Scripted();
    for (const method of [0, 1, 6, 50, 1000]) peer.says({ channel: 0, method, flags: CONTROL }, hex("00"));
    expect([peer.seen.faults, peer.said()]).toEqual([[], []]);
  });
});

describe("the end", () => {
  const busy = (): { peer: Scripted; outcomes: unknown[]; reader: Reader; cancelled: Error[] } => {
    const peer = new Scripted();
    const { outcomes } = peer.call();
    const { reader } = peer.machine.register(2, {});
    peer.says({ channel: 2, flags: DATA }, utf8("last"));
    peer.says({ channel: 4, method: 9, flags: REQUEST }).says({ channel: 6, method: 9, flags: STREAM });
    const cancelled: Error[] = [];
    peer.seen.requests[0]!.onCancel = (reason): void => void cancelled.push(reason);
    peer.seen.requests[1]!.stream();
    peer.said();
    return { peer, outcomes, reader, cancelled };
  };
  const ENDS: [string, (peer: Scripted) => void, object][] = [
    ["closed by us", ({ machine }) => machine.close("enough"), { code: "closed", by: "us" }],
    ["closed by the peer", ({ machine }) => machine.inputEnded(), { code: "closed", by: "peer" }],
    [
      "lost with its transport",
      ({ machine }) => machine.transportLost(new Error("cable")),
      { code: "lost", by: "transport" },
    ],
    [
      "broken by a frame",
      (peer) => peer.machine.receive(hex("00000000"), 0),
      { code: "protocol", by: "peer", rule: "R2" },
    ],
    ["broken by a length", (peer) => peer.machine.receive(hex("ffffffff"), 0), { code: "limit", rule: "R2" }],
  ];

  it.each(ENDS)(
    "%s: every call, tunnel and handler hears the reason, after what had come",
    (_, end, reason) => {
      const { peer, outcomes, reader, cancelled } = busy();
      end(peer);
      expect(outcomes).toMatchObject([{ error: { _tag: "SessionError", ...reason } }]);
      expect([readAll(reader), reader.isOver]).toEqual([["last"], true]);
      expect(reader.error).toMatchObject({ code: StreamCode.sessionEnded, cause: reason });
      expect([cancelled, peer.seen.ended]).toMatchObject([[reason], [reason]]);
      expect(peer.seen.requests.map((request) => request.succeed(utf8("late")))).toEqual([false, false]);
      expect([peer.machine.calls.size, peer.machine.tunnels.open, peer.machine.requests.running]).toEqual([
        0, 0, 0,
      ]);
      peer.says({ channel: 4, method: 9, flags: REQUEST });
      expect([peer.seen.requests.length, peer.call().outcomes]).toMatchObject([2, [{ error: reason }]]);
      expect(() => peer.machine.nextChannel()).toThrow(peer.machine.error);
    },
  );

  it("R9: closed by us, the peer's callers and readers are told, and it is told why", () => {
    const { peer } = busy();
    peer.machine.close("enough");
    const frames = peer.machine.outbox.last();
    const said = frames.flatMap((chunk) => [chunk]).length;
    expect(said).toBeGreaterThan(0);
    const listener = new Scripted({ role: "acceptor" });
    for (const chunk of frames) listener.machine.receive(chunk, 0);
    listener.machine.inputEnded();
    expect(listener.machine.error?.message).toBe("the peer closed the session: enough");
  });

  it("R9: an answer SessionClosed goes to each call that runs, and an error to each stream", () => {
    const { peer } = busy();
    peer.machine.close("enough");
    const bytes = peer.machine.outbox.last();
    const all = new Scripted({ role: "acceptor", limits: { faults: 1000 } });
    const [first, second] = [all.call(1), all.call(1)];
    const stream = all.machine.stream(1, utf8(""), {}, false);
    for (const chunk of bytes) all.machine.receive(chunk, 0);
    // The tunnel on 2, the call on 4, the stream on 6.
    for (const { outcomes } of [first, second])
      expect(outcomes).toMatchObject([{ error: { code: ErrorCode.sessionClosed } }]);
    expect([stream.isOver, stream.error]).toMatchObject([
      true,
      { code: ErrorCode.sessionClosed, message: "enough" },
    ]);
  });

  it("R9: a peer that said why it closes was not lost", () => {
    const peer = new Scripted();
    peer.says({ channel: 0, method: VERB.closeChannel, flags: CONTROL }, closePayload(0, "lunch"));
    expect(peer.machine.error).toBe(undefined);
    peer.machine.transportLost(new Error("reset"));
    expect(peer.machine.error).toMatchObject({
      code: "closed",
      by: "peer",
      message: "the peer closed the session: lunch",
    });
  });

  it.each([2, 40, 68, 69])("R4: an end of input after %d bytes of a frame has cut it", (bytes) => {
    const peer = new Scripted();
    const { outcomes } = peer.call();
    peer.machine.receive(frameBytes({ channel: 1, flags: ANSWER }, utf8("ab")).subarray(0, bytes), 0);
    peer.machine.inputEnded();
    expect(outcomes).toMatchObject([{ error: { code: "lost", by: "transport", rule: "R4" } }]);
  });

  it("limits.faults: a peer that goes on being wrong ends the session", () => {
    const peer = new Scripted({ limits: { faults: 3 } });
    for (let i = 0; i < 4; i++) peer.says({ channel: 99, flags: ANSWER });
    expect(peer.machine.error).toMatchObject({ code: "limit", by: "peer", rule: "limits.faults" });
  });

  it("limits.outbox: a peer that asks and does not read ends the session", () => {
    const peer = new Scripted({ limits: { outbox: 2000 } });
    for (let i = 0; i < 40; i++)
      peer.says({ channel: 0, method: VERB.ping, flags: CONTROL }, hex("0102030405060708"));
    expect(peer.machine.error).toMatchObject({ code: "limit", rule: "limits.outbox" });
  });

  it("a limit that is no number above 0 is named", () => {
    expect(() => new Scripted({ limits: { early: 0 } })).toThrow("limits.early must be above 0");
    expect(() => new Scripted({ limits: { frame: 2 ** 32 } })).toThrow("limits.frame must be at most");
    expect(() => new Scripted({ limits: { window: 1.5 } })).toThrow("limits.window must be a whole number");
  });
});
