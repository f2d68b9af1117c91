// The tunnels of a session machine, and their credit, against a peer that the test plays.
import { StreamCode } from "@sluice/streams";
import { describe, expect, it } from "vitest";
import { cancelPayload, grantPayload, VERB } from "./control.ts";
import { ErrorCode, RapaceError } from "./error.ts";
import { FLAG } from "./frame.ts";
import { text, utf8 } from "./frames.testing.ts";
import {
  DATA,
  END,
  ERROR,
  CONTROL,
  readAll,
  cancelOf,
  ANSWER,
  Scripted,
  STREAM,
} from "./scripted.testing.ts";

describe("tunnels (R11)", () => {
  it("R11: carry bytes both ways, each direction ended by itself", () => {
    const peer = new Scripted();
    const channel = peer.machine.nextChannel();
    const { reader, writer } = peer.machine.register(channel, {});
    writer.write(utf8("one "));
    writer.write(utf8("two"));
    writer.end();
    expect(peer.brief()).toEqual(["1/0 data 6f6e652074776f", "1/0 data|eos"]);
    expect([writer.state, reader.isOver]).toEqual(["ended", false]);
    peer.says({ channel, flags: DATA }, utf8("back")).says({ channel, flags: END });
    expect([readAll(reader), reader.isOver, reader.error, peer.machine.tunnels.open]).toEqual([
      ["back"],
      true,
      undefined,
      0,
    ]);
  });

  it("R11: chunks that come before a channel is registered are read first, and then what comes after", () => {
    const peer = new Scripted();
    peer.says({ channel: 2, flags: DATA }, utf8("early")).says({ channel: 2, flags: DATA }, utf8("bird"));
    const { reader } = peer.machine.register(2, {});
    peer.says({ channel: 2, flags: DATA }, utf8("late"));
    expect([readAll(reader), peer.machine.tunnels.early.size]).toEqual([["early", "bird", "late"], 0]);
  });

  it("R11: an end or an error that comes before is kept, too", () => {
    for (const [flags, error] of [
      [END, undefined],
      [ERROR, { _tag: "RapaceError" }],
    ] as const) {
      const peer = new Scripted();
      peer.says({ channel: 2, flags: DATA }, utf8("early")).says({ channel: 2, flags });
      peer.says({ channel: 2, flags: DATA }, utf8("more"));
      const { reader } = peer.machine.register(2, {});
      expect([readAll(reader), reader.isOver]).toEqual([["early"], true]);
      if (error === undefined) expect(reader.error).toBe(undefined);
      else expect(reader.error).toMatchObject(error);
    }
  });

  it("R11: chunks before registration are bounded: past a bound the tunnel fails, and has no gap", () => {
    const peer = new Scripted({ limits: { earlyChunks: 2 } });
    for (const word of ["a", "b", "c"]) peer.says({ channel: 2, flags: DATA }, utf8(word));
    const { reader } = peer.machine.register(2, {});
    peer.says({ channel: 2, flags: DATA }, utf8("d"));
    expect([readAll(reader), reader.error]).toMatchObject([["a", "b"], { code: StreamCode.limit, by: "us" }]);
    expect(reader.error?.message).toContain("limits.earlyChunks");
  });

  it("R11: so are the channels that have sent some: the oldest fails when it is registered", () => {
    const peer = new Scripted({ limits: { early: 2 } });
    for (const channel of [2, 4, 6]) peer.says({ channel, flags: DATA }, utf8("x"));
    expect(peer.machine.tunnels.early.size).toBe(2);
    peer.says({ channel: 2, flags: DATA }, utf8("y"));
    const { reader } = peer.machine.register(2, {});
    expect([readAll(reader), reader.error?.message]).toEqual([[], expect.stringContaining("limits.early")]);
    expect(readAll(peer.machine.register(6, {}).reader)).toEqual(["x"]);
  });

  it("R11: a channel of ours that was given out waits in the same way; one that was not is a fault", () => {
    const peer = new Scripted();
    const channel = peer.machine.nextChannel();
    peer.says({ channel, flags: DATA }, utf8("a")).says({ channel: channel + 2, flags: DATA }, utf8("b"));
    expect(readAll(peer.machine.register(channel, {}).reader)).toEqual(["a"]);
    expect(peer.seen.faults).toMatchObject([{ rule: "R5" }]);
  });

  it("R9: a channel that the peer cancels before it is registered waits no more", () => {
    const peer = new Scripted().says({ channel: 2, flags: DATA }, utf8("a"));
    peer.says({ channel: 0, method: VERB.cancelChannel, flags: CONTROL }, cancelPayload(2, "client"));
    expect([peer.machine.tunnels.early.size, peer.machine.tunnels.early.bytes]).toEqual([0, 0]);
  });

  it("R11: registering a channel again is refused, and its tunnel goes on", () => {
    const peer = new Scripted();
    const { reader } = peer.machine.register(2, {});
    expect(() => peer.machine.register(2, {})).toThrow("has a tunnel already");
    peer.says({ channel: 2, flags: DATA }, utf8("a")).says({ channel: 2, flags: END });
    expect([readAll(reader), reader.error]).toEqual([["a"], undefined]);
    peer.call();
    expect(() => peer.machine.register(1, {})).toThrow("has a call");
    expect(() => peer.machine.register(0, {})).toThrow("R5");
  });

  it("R11: one that is over is not registered again, and what comes late is never run", () => {
    const peer = new Scripted();
    const { reader, writer } = peer.machine.register(2, {});
    reader.stop();
    writer.end();
    expect(peer.brief()).toEqual(["2/0 data|eos", cancelOf(2)]);
    peer.says({ channel: 2, flags: DATA }, utf8("late"));
    expect([peer.machine.late, peer.seen.requests, peer.machine.tunnels.open]).toEqual([1, [], 0]);
    expect(() => peer.machine.register(2, {})).toThrow("is over");
  });

  it("R11: a reader that leaves while we write tells the peer once we have ended", () => {
    const peer = new Scripted();
    const { reader, writer } = peer.machine.register(2, {});
    reader.stop();
    writer.write(utf8("on"));
    expect(peer.brief()).toEqual(["2/0 data 6f6e"]);
    peer.says({ channel: 2, flags: DATA }, utf8("dropped"));
    writer.reset(new Error("ours"), new RapaceError(ErrorCode.cancelled, "c"));
    expect(peer.brief()).toEqual([expect.stringMatching(/^2\/0 eos\|error/), cancelOf(2)]);
  });

  it("R11: one that the peer ends after its reader has left needs no word", () => {
    const peer = new Scripted();
    const { reader, writer } = peer.machine.register(2, {});
    reader.stop();
    peer.says({ channel: 2, flags: END });
    writer.end();
    expect([peer.brief(), peer.machine.tunnels.open]).toEqual([["2/0 data|eos"], 0]);
  });

  it("R11: the 65th unread chunk fails that tunnel alone, after those before it; calls and other tunnels go on", () => {
    const peer = new Scripted();
    const slow = peer.machine.register(2, { chunks: 64 });
    const other = peer.machine.register(4, { chunks: 64 });
    const { outcomes } = peer.call();
    for (let i = 0; i < 65; i++) peer.says({ channel: 2, flags: DATA }, utf8("x"));
    peer.says({ channel: 4, flags: DATA }, utf8("fine")).says({ channel: 1, flags: ANSWER }, utf8("a"));
    expect([outcomes.length, readAll(other.reader), peer.seen.paused]).toEqual([1, ["fine"], []]);
    expect([readAll(slow.reader).length, slow.reader.error]).toMatchObject([64, { code: StreamCode.limit }]);
    peer.said();
    slow.writer.end();
    expect(peer.brief()).toEqual(["2/0 data|eos", cancelOf(2)]);
  });

  it("R11: a tunnel whose policy is to pause stops the transport, until half of it has been read", () => {
    const peer = new Scripted();
    const { reader } = peer.machine.register(2, { policy: "pause", chunks: 4 });
    for (let i = 0; i < 5; i++) peer.says({ channel: 2, flags: DATA }, utf8(`${i}`));
    expect(peer.seen.paused).toEqual([true]);
    for (let i = 0; i < 3; i++) reader.read();
    expect([peer.seen.paused, readAll(reader), reader.isOver]).toEqual([[true, false], ["3", "4"], false]);
  });

  it("R11: limits.unread fails the tunnel that holds most", () => {
    const peer = new Scripted({ limits: { unread: 100 } });
    const [hog, other] = [peer.machine.register(2, {}), peer.machine.register(4, {})];
    hog.writer.end();
    peer.said();
    peer
      .says({ channel: 2, flags: DATA }, new Uint8Array(90))
      .says({ channel: 4, flags: DATA }, new Uint8Array(20));
    expect([hog.reader.half.state, other.reader.half.state]).toEqual(["failed", "open"]);
    peer.says({ channel: 2, flags: DATA }, new Uint8Array(90));
    expect([peer.brief(), peer.machine.late]).toEqual([[cancelOf(2)], 1]);
  });

  it("R11: a writer waits at limits.highWater, sends what it was given once, and goes on", () => {
    const peer = new Scripted({ limits: { highWater: 100 } });
    const { writer } = peer.machine.register(2, {});
    let rooms = 0;
    writer.onRoom = (): void => void rooms++;
    expect([writer.write(utf8("a".repeat(50))), writer.write(utf8("b".repeat(50))), rooms]).toEqual([
      true,
      false,
      0,
    ]);
    expect(peer.said().map(({ payload }) => text(payload))).toEqual([`${"a".repeat(50)}${"b".repeat(50)}`]);
    expect([rooms, writer.queued, peer.said()]).toEqual([1, 0, []]);
  });

  it("R11: large chunks are cut, and tunnels take turns", () => {
    const peer = new Scripted();
    const [one, two] = [peer.machine.register(2, {}), peer.machine.register(4, {})];
    one.writer.write(new Uint8Array(200_000));
    two.writer.write(new Uint8Array(100_000));
    expect(peer.said().map(({ channel, payload }) => `${channel} ${payload.length}`)).toEqual([
      "2 65536",
      "4 65536",
      "2 65536",
      "4 34464",
      "2 65536",
      "2 3392",
    ]);
  });

  it("limits.tunnels bounds them, ours and those of answers", () => {
    const peer = new Scripted({ limits: { tunnels: 3 } });
    peer.machine.register(2, {});
    expect(() => peer.machine.register(4, {})).toThrow("limits.tunnels");
    peer.machine.stream(9, utf8(""), {}, false);
    expect(() => peer.machine.stream(9, utf8(""), {}, false)).toThrow("limits.tunnels");
    expect(peer.call(7, utf8(""), { body: true }).outcomes).toMatchObject([
      { error: { rule: "limits.tunnels" } },
    ]);
    expect(peer.machine.tunnels.open).toBe(3);
  });
});

describe("credit (R10)", () => {
  const grant = (peer: Scripted, channel: number, bytes: number): Scripted =>
    peer.says(
      { channel: 0, method: VERB.grantCredits, flags: CONTROL | FLAG.credits, credit: bytes },
      grantPayload(channel, bytes),
    );
  const offered = (): Scripted => new Scripted({ credits: true, limits: { window: 1000 } });

  it("R10: is offered by a grant for channel 0, which published peers ignore", () => {
    expect(offered().said()).toMatchObject([
      { channel: 0, method: 4, flags: 0x46, credit: 1000, payload: grantPayload(0, 1000) },
    ]);
    expect(new Scripted().said()).toEqual([]);
  });

  it("R10: a writer waits for credit once the peer has offered it, and never before", () => {
    const peer = offered();
    const { writer } = peer.machine.register(2, {});
    peer.said();
    writer.write(new Uint8Array(2000));
    expect(peer.said().map(({ payload }) => payload.length)).toEqual([2000]);
    grant(peer, 0, 500);
    writer.write(new Uint8Array(10));
    expect([peer.said(), writer.credit]).toEqual([[], 500 - 2032]);
    grant(peer, 2, 1600);
    expect(peer.said().map(({ payload }) => payload.length)).toEqual([10]);
  });

  it("R10: bytes are cut to the credit there is; an end needs none", () => {
    const peer = grant(offered(), 0, 100);
    const { writer } = peer.machine.register(2, {});
    peer.said();
    writer.write(new Uint8Array(100));
    expect(peer.said().map(({ payload }) => payload.length)).toEqual([68]);
    grant(peer, 2, 64);
    writer.end();
    expect(peer.brief()).toEqual([`2/0 data ${"00".repeat(32)}`, "2/0 data|eos"]);
  });

  it("R10: an item goes whole, as long as there is credit at all", () => {
    const peer = grant(new Scripted({ role: "acceptor", credits: true }), 0, 100);
    peer.says({ channel: 1, method: 9, flags: STREAM });
    peer.said();
    const writer = peer.seen.requests[0]!.stream();
    writer.write(new Uint8Array(500));
    writer.write(new Uint8Array(1));
    expect(peer.said().map(({ payload }) => payload.length)).toEqual([500]);
    grant(peer, 1, 440);
    expect(peer.said().map(({ payload }) => payload.length)).toEqual([1]);
  });

  it("R10: a reader grants what has been read, at half a window", () => {
    const peer = grant(offered(), 0, 1000);
    const { reader } = peer.machine.register(2, {});
    peer.said();
    for (let i = 0; i < 4; i++) peer.says({ channel: 2, flags: DATA }, new Uint8Array(100));
    for (let i = 0; i < 3; i++) reader.read();
    expect(peer.said()).toEqual([]);
    reader.read();
    const granted = [{ method: 4, flags: 0x46, credit: 528, payload: grantPayload(2, 528) }];
    expect(peer.said()).toMatchObject(granted);
    for (let i = 0; i < 4; i++) peer.says({ channel: 2, flags: DATA }, new Uint8Array(100));
    for (let i = 0; i < 4; i++) reader.read();
    expect(peer.said()).toMatchObject(granted);
  });

  it("R10: a reader that has left grants what it drops, or the peer's writer would wait for ever", () => {
    const peer = grant(offered(), 0, 1000);
    const { reader } = peer.machine.register(2, {});
    reader.stop();
    peer.said();
    peer.says({ channel: 2, flags: DATA }, new Uint8Array(600));
    expect(peer.said()).toMatchObject([{ method: 4, credit: 632 }]);
  });

  it("R10: grants mean nothing to an end that has not offered credit", () => {
    const peer = grant(new Scripted(), 0, 1);
    const { writer } = peer.machine.register(2, {});
    writer.write(new Uint8Array(5000));
    expect(peer.said().map(({ payload }) => payload.length)).toEqual([5000]);
    grant(peer, 2, 1);
    grant(peer, 99, 1);
    expect(peer.seen.faults).toEqual([]);
  });
});
