// What of the rules shows on the wire, at a far end that is no transport of ours.
import type { Socket } from "node:net";
import { dial } from "@sluice/ws";
import { describe, expect, it } from "vitest";
import { own } from "./fixtures/runtimes.ts";
import { HOLDS_BACK, joined, served } from "./pairs.testing.ts";
import { closeOf, frameOf, OPCODE, Raw } from "./raw.testing.ts";
import { upgrading } from "./tcp.testing.ts";
import { bytes, watch } from "./watch.testing.ts";

const { text, binary, close } = OPCODE;
const SLUICE = ["Sec-WebSocket-Protocol: sluice.v1"];

describe("W1: on sluice.v1", () => {
  it("F5: each chunk is one binary message, and text is refused with 1003", async () => {
    await using all = await served();
    const raw = await Raw.open(all.server, SLUICE);
    const far = watch(await all.accepted());
    far.transport.write([bytes("one"), bytes(""), bytes("two")]);
    const frames = [await raw.next(), await raw.next()];
    expect(frames.map((frame) => [frame?.opcode, String(frame?.payload)])).toEqual([
      [binary, "one"],
      [binary, "two"],
    ]);
    raw.frame(text, "{}");
    expect(await raw.closeCode()).toBe(1003);
    raw.frame(close, closeOf(1003));
    expect((await far.closed)?.code).toBe("protocol");
  });
});

describe("W1: on jsonrpc", () => {
  it("each message of text is a text message", async () => {
    await using all = await served();
    const raw = await Raw.open(all.server, ["Sec-WebSocket-Protocol: jsonrpc"]);
    const far = watch(await all.accepted());
    far.transport.write(['{"a":"ä"}', bytes("b")]);
    const frames = [await raw.next(), await raw.next()];
    expect(frames.map((frame) => [frame?.opcode, String(frame?.payload)])).toEqual([
      [text, '{"a":"ä"}'],
      [binary, "b"],
    ]);
    raw.frame(text, '{"c":').frame(binary, "d");
    await far.said('{"c":d');
    raw.frame(close, closeOf(1000));
    expect(await far.closed).toBeUndefined();
  });
});

/** The Close a client of ours sends. */
async function closeOfOurs(
  ...how: ["done" | "protocol" | "limit" | "timeout" | "failed", string]
): Promise<Buffer> {
  let tell!: (socket: Socket) => void;
  const came = new Promise<Socket>((resolve) => (tell = resolve));
  await using server = await upgrading(tell);
  const near = await dial(server.url, { protocols: [], limits: { close: 50 } });
  const socket = await came;
  const frame = new Promise<Buffer>((resolve) => socket.once("data", resolve));
  const { closed } = watch(near);
  near.close(how[1], how[0]);
  const sent = await frame;
  await closed;
  const key = sent.subarray(2, 6);
  return sent.subarray(6).map((byte, at) => byte ^ key[at % 4]!) as Buffer;
}

describe("W3: a Close", () => {
  const codes = [
    ["done", 1000],
    ["protocol", 1002],
    ["limit", 1008],
    ["timeout", 1008],
    ["failed", 1011],
  ] as const;

  it.each(codes)("for %s has code %i from a server", async (cause, code) => {
    await using all = await served();
    const raw = await Raw.open(all.server);
    const far = watch(await all.accepted());
    far.transport.close(`x${"ä".repeat(100)}`, cause);
    const frame = await raw.next();
    expect([frame?.payload.readUInt16BE(), frame?.payload.toString("utf8", 2)]).toEqual([
      code,
      `x${"ä".repeat(61)}`,
    ]);
    raw.send(frameOf(close, closeOf(code)));
    expect(await far.closed).toBeUndefined();
  });

  it.each(codes)("for %s has code %i from a client, 3000 higher from Bun's", async (cause, code) => {
    const sent = await closeOfOurs(cause, `x${"ä".repeat(100)}`);
    const raised = own !== "bun" || code === 1000 ? code : code + 3000;
    expect([sent.readUInt16BE(), sent.toString("utf8", 2)]).toEqual([raised, `x${"ä".repeat(61)}`]);
  });

  it.each([
    ["protocol", "1002 (protocol error)"],
    ["limit", "1008 (policy violation)"],
    ["failed", "1011 (internal error)"],
  ] as const)("for %s is read as %s, from either end", async (cause, said) => {
    await using all = await joined();
    const far = watch(all.far);
    all.near.close("the reason", cause);
    watch(all.near);
    expect((await far.closed)?.message).toBe(`${all.far.label} closed with ${said}: the reason`);
    await using other = await joined();
    const near = watch(other.near);
    other.far.close("the reason", cause);
    watch(other.far);
    const error = await near.closed;
    expect([error?.code, error?.message]).toEqual([
      "closed",
      `${other.near.label} closed with ${said}: the reason`,
    ]);
  });

  it.each([
    ["1000", closeOf(1000, "bye"), undefined],
    ["no code", Buffer.alloc(0), undefined],
    ["1001", closeOf(1001), "closed with 1001 (going away)"],
    ["1011", closeOf(1011, "oh\nno"), "closed with 1011 (internal error): oh no"],
    ["3000", closeOf(3000), "closed with 3000"],
    ["4002", closeOf(4002), "closed with 1002 (protocol error)"],
    ["4006", closeOf(4006), "was lost"],
    ["4999", closeOf(4999, "mine"), "closed with 4999: mine"],
  ])("with %s is an orderly end, or the error says what it is", async (_, payload, said) => {
    await using all = await served();
    for (const headers of [SLUICE, []]) {
      const raw = await Raw.open(all.server, headers);
      const far = watch(await all.accepted());
      raw.frame(binary, "last words").frame(close, payload);
      const error = await far.closed;
      expect(error?.message).toEqual(said && expect.stringContaining(said));
      expect(far.text).toBe("last words");
      raw.socket.destroy();
    }
  });

  it("with 1001 after an empty message is an orderly end", async () => {
    await using all = await served();
    const raw = await Raw.open(all.server, SLUICE);
    const far = watch(await all.accepted());
    raw.frame(binary).frame(close, closeOf(1001));
    expect(await far.closed).toBeUndefined();
    raw.socket.destroy();
  });

  it("of an abort is none, or 4006: the far end knows that the connection was given up", async () => {
    for (const acts of ["near", "far"] as const) {
      await using all = await joined();
      const [near, far] = [watch(all.near), watch(all.far)];
      const [gone, left] = acts === "near" ? [near, far] : [far, near];
      gone.transport.abort();
      expect([await gone.closed, (await left.closed)?.code]).toEqual([undefined, "read"]);
    }
  });
});

describe("W5: a ping", () => {
  it("is answered by a server, and by a client", async () => {
    await using all = await served();
    const raw = await Raw.open(all.server);
    watch(await all.accepted());
    raw.frame(OPCODE.ping, "are you there");
    const pong = await raw.next();
    expect([pong?.opcode, String(pong?.payload)]).toEqual([OPCODE.pong, "are you there"]);
    raw.socket.destroy();

    let hear!: (answer: Buffer) => void;
    const answer = new Promise<Buffer>((resolve) => (hear = resolve));
    await using server = await upgrading((socket) => {
      socket.once("data", hear);
      socket.write(frameOf(OPCODE.ping, "and you", { mask: false }));
    });
    const near = await dial(server.url, { protocols: [] });
    watch(near);
    const got = await answer;
    expect([got[0]! & 0x0f, got[1]! & 0x7f]).toEqual([OPCODE.pong, 7]);
    near.abort();
  });

  it("is what a client sends into silence, and it gives up after a second one", async () => {
    const opcodes: number[] = [];
    await using server = await upgrading((socket) =>
      socket.on("data", (frame: Buffer) => opcodes.push(frame[0]! & 0x0f)),
    );
    const near = watch(await dial(server.url, { protocols: [], limits: { heartbeat: 50 } }));
    expect((await near.closed)?.code).toBe("timeout");
    expect(opcodes).toContain(OPCODE.ping);
  });
});

describe("what is held for a user who does not read", () => {
  it.runIf(!HOLDS_BACK)(
    "ends the transport above limits.held, where the sender cannot be held back",
    async () => {
      await using all = await served({ limits: { held: 100_000 } });
      const raw = await Raw.open(all.server);
      const far = watch(await all.accepted());
      far.transport.pause();
      for (let sent = 0; sent <= 100_000; sent += 10_000) raw.frame(binary, Buffer.alloc(10_000));
      expect(await raw.closeCode()).toBe(1008);
      raw.frame(close, closeOf(1008));
      far.transport.resume();
      expect((await far.closed)?.message).toContain("limits.held");
    },
  );
});
