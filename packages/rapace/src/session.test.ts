// Two sessions talk: what published peers test of one another, on a run of bytes, on bytes cut anywhere, and on messages.
import { SessionError } from "@sluice/core";
import { StreamError } from "@sluice/streams";
import { memoryPair, shapedPair, type Chunk, type Transport, type TransportEvents } from "@sluice/transport";
import { describe, expect, it, vi } from "vitest";
import { pump } from "./chunks.ts";
import { ErrorCode, RapaceError } from "./error.ts";
import { methodId } from "./method-id.ts";
import { RpcSession, type RpcSessionOptions } from "./rpc-session.ts";
import type { Dispatcher, IncomingRequest } from "./runner.ts";
import { text, utf8 } from "./frames.testing.ts";
import { Scripted } from "./scripted.testing.ts";

interface Pair extends AsyncDisposable {
  readonly client: RpcSession;
  readonly server: RpcSession;
}

const HELD = ["calls", "requests", "waiting", "tunnels", "early", "queued", "unread", "outbox"] as const;
const held = (session: RpcSession): number[] => HELD.map((name) => session.stats()[name]);
const NOTHING = HELD.map(() => 0);
// `toEqual` takes seconds for a megabyte.
const same = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, i) => byte === b[i]);

const LINKS: [string, () => [Transport, Transport]][] = [
  ["bytes", () => memoryPair()],
  ["bytes cut anywhere", () => shapedPair({ seed: 3, reshape: true })],
  ["messages", () => memoryPair({ unit: "messages" })],
];

describe.each(LINKS)("over %s", (_, link) => {
  const open = (
    dispatcher?: Dispatcher,
    options: RpcSessionOptions = {},
    mine: RpcSessionOptions = {},
  ): Pair => {
    const [left, right] = link();
    const server = new RpcSession(right, { role: "acceptor", ...(dispatcher && { dispatcher }), ...options });
    const client = new RpcSession(left, mine);
    return {
      client,
      server,
      async [Symbol.asyncDispose]() {
        await client.close("the test is over");
        await server.closed;
      },
    };
  };
  const add: Dispatcher = ({ payload }) => Uint8Array.of(payload[0]! + payload[1]!);
  const never: Dispatcher = () => new Promise(() => {});

  it("a call is answered, and so are three in a row", async () => {
    await using pair = open(add);
    for (const n of [1, 2, 3])
      expect(await pair.client.call("Adder.add", Uint8Array.of(n, 2))).toEqual(Uint8Array.of(n + 2));
    expect([held(pair.client), held(pair.server)]).toEqual([NOTHING, NOTHING]);
  });

  it("a method is known by its number", async () => {
    const seen: IncomingRequest[] = [];
    await using pair = open((request) => void seen.push(request));
    expect(await pair.client.call("Adder.add", utf8("x"))).toEqual(new Uint8Array(0));
    await pair.client.call(77);
    expect(seen.map(({ method }) => method)).toEqual([methodId("Adder.add"), 77]);
  });

  it("an error is the caller's as it is", async () => {
    await using pair = open(() => {
      throw new RapaceError(ErrorCode.invalidArgument, "test error message");
    });
    await expect(pair.client.call(1)).rejects.toMatchObject({
      code: 3,
      message: "test error message",
      mayHaveRun: true,
    });
  });

  it("what a handler throws that is no RapaceError is Internal, without its text; so is an answer that is none", async () => {
    const told: unknown[] = [];
    let answer: () => unknown = () => {
      throw new TypeError("secret");
    };
    await using pair = open((() => answer()) as Dispatcher, {
      onHandlerError: (error, method) => void told.push([error, method]),
    });
    await expect(pair.client.call(5)).rejects.toMatchObject({
      code: ErrorCode.internal,
      message: "internal error",
    });
    answer = async () => {
      throw new TypeError("secret, later");
    };
    await expect(pair.client.call(5)).rejects.toMatchObject({ message: "internal error" });
    answer = () => "text";
    await expect(pair.client.call(5)).rejects.toMatchObject({ message: "internal error" });
    expect(told).toEqual([
      [new TypeError("secret"), 5],
      [new TypeError("secret, later"), 5],
      [expect.any(TypeError), 5],
    ]);
  });

  it("without a dispatcher a call is Unimplemented, and has not run", async () => {
    await using pair = open();
    await expect(pair.client.call(1)).rejects.toMatchObject({
      code: ErrorCode.unimplemented,
      mayHaveRun: false,
    });
    const items = pair.client.startStreamingCall(1);
    await expect(items.next()).rejects.toMatchObject({ code: ErrorCode.unimplemented });
    pair.server.setDispatcher(add);
    expect(await pair.client.call(1, Uint8Array.of(1, 2))).toEqual(Uint8Array.of(3));
  });

  it.each([0, 1, 16, 17, 1000, 65_536, 1_000_003])(
    "a payload of %d bytes comes back as it went",
    async (size) => {
      await using pair = open(({ payload }) => payload.slice());
      const blob = Uint8Array.from({ length: size }, (_, i) => i * 31);
      const back = await pair.client.call(1, blob.slice());
      expect(same(back, blob)).toBe(true);
    },
  );

  it("many calls are in flight at once, and answered in any order", async () => {
    const waiting: (() => void)[] = [];
    await using pair = open(
      ({ payload }) =>
        new Promise((resolve) => {
          waiting.push(() => resolve(payload.slice()));
          if (waiting.length === 100) for (const answer of waiting.reverse()) answer();
        }),
    );
    const calls = Array.from({ length: 100 }, (_, n) => pair.client.call(1, Uint8Array.of(n)));
    expect((await Promise.all(calls)).map(([n]) => n)).toEqual(Array.from({ length: 100 }, (_, n) => n));
  });

  it("a handler calls back while it serves, as often as it likes", async () => {
    await using pair = open(async ({ payload, session }) => {
      const one = text(await session.call("Values.get", payload));
      const two = text(await session.call("Values.get", payload));
      return utf8(`PREFIX:${one},${two}`);
    });
    let asked = 0;
    pair.client.setDispatcher(({ payload }) => utf8(`${text(payload)}${++asked}`));
    expect(text(await pair.client.call(1, utf8("value")))).toBe("PREFIX:value1,value2");
  });

  it("a notification runs and is not answered", async () => {
    const ran = Promise.withResolvers<[boolean, number]>();
    await using pair = open(({ noReply, channel }) => {
      ran.resolve([noReply, channel]);
      return undefined;
    });
    await pair.client.notify("Log.line", utf8("hello"));
    expect(await ran.promise).toEqual([true, 0]);
  });

  it("an answer of many items is a stream", async () => {
    await using pair = open(async function* ({ payload }) {
      for (let n = 0; n < payload[0]!; n++) yield Uint8Array.of(n);
    });
    const got: number[] = [];
    for await (const item of pair.client.startStreamingCall("RangeService.range", Uint8Array.of(5)))
      got.push(item[0]!);
    expect(got).toEqual([0, 1, 2, 3, 4]);
    expect([held(pair.client), held(pair.server)]).toEqual([NOTHING, NOTHING]);
  });

  it("items asked for all at once come in order, and then the end, again and again", async () => {
    await using pair = open(async function* () {
      yield utf8("a");
      yield utf8("b");
    });
    const items = pair.client.startStreamingCall(1);
    const results = await Promise.all([items.next(), items.next(), items.next(), items.next()]);
    expect(results.map(({ value }) => value && text(value))).toEqual(["a", "b", undefined, undefined]);
  });

  it("a stream that fails is read up to there", async () => {
    await using pair = open(async function* () {
      yield utf8("a");
      throw new RapaceError(ErrorCode.dataLoss, "torn");
    });
    const items = pair.client.startStreamingCall(1);
    expect(text((await items.next()).value)).toBe("a");
    await expect(items.next()).rejects.toMatchObject({ code: ErrorCode.dataLoss, message: "torn" });
    expect(await items.next()).toEqual({ done: true, value: undefined });
  });

  it("a stream that is left early stops its producer", async () => {
    const stopped = Promise.withResolvers<string>();
    await using pair = open(async function* ({ signal }) {
      try {
        for (;;) yield utf8("more");
      } finally {
        stopped.resolve(signal.aborted ? "aborted" : "not aborted");
      }
    });
    for await (const _ of pair.client.startStreamingCall(1)) break;
    expect(await stopped.promise).toBe("aborted");
    expect(await pair.server.call(1).catch(() => held(pair.server))).toEqual(NOTHING);
  });

  it("a stream for a caller that wants one answer is InvalidArgument, unless peers of 0.2 are spoken to", async () => {
    const range: Dispatcher = async function* () {
      yield utf8("a");
    };
    await using strict = open(range);
    await expect(strict.client.call(1)).rejects.toMatchObject({
      code: ErrorCode.invalidArgument,
      message: "streaming request missing NO_REPLY flag",
    });
    await using old = open(range, { dialect: "0.2" });
    expect(text(await old.client.call(1))).toBe("a");
  });

  it("items from a client are read as they come, and answered once", async () => {
    await using pair = open(async ({ body }) => {
      void body;
      return utf8("");
    });
    pair.server.setDispatcher(async (request) => {
      let sum = 0;
      for await (const item of request.body()) sum += item[0]!;
      return Uint8Array.of(sum);
    });
    async function* numbers(): AsyncGenerator<Uint8Array> {
      for (const n of [1, 2, 3]) yield Uint8Array.of(n);
    }
    expect(await pair.client.call(1, utf8(""), { body: numbers() })).toEqual(Uint8Array.of(6));
    const stream = new Blob(["\u0004\u0005"]).stream();
    expect(await pair.client.call(1, utf8(""), { body: stream })).toEqual(Uint8Array.of(4));
  });

  it("items go both ways, and each direction ends by itself", async () => {
    await using pair = open(async function* (request) {
      for await (const item of request.body()) yield utf8(text(item).toUpperCase());
      yield utf8("and one more");
    });
    const said: string[] = [];
    async function* words(): AsyncGenerator<Uint8Array> {
      yield utf8("a");
      yield utf8("b");
    }
    for await (const item of pair.client.startStreamingCall(1, utf8(""), { body: words() }))
      said.push(text(item));
    expect(said).toEqual(["A", "B", "and one more"]);
    expect([held(pair.client), held(pair.server)]).toEqual([NOTHING, NOTHING]);
  });

  it("a body that fails is an error where it is read", async () => {
    await using pair = open(async (request) => {
      const got: string[] = [];
      try {
        for await (const item of request.body()) got.push(text(item));
      } catch (error) {
        return utf8(`${got.join()} ${(error as RapaceError).code}`);
      }
      return utf8("ended");
    });
    async function* torn(): AsyncGenerator<Uint8Array> {
      yield utf8("a");
      await pair.client.call(2).catch(() => {}); // "a" has been sent by then
      throw new RapaceError(ErrorCode.aborted, "torn");
    }
    const call = pair.client.call(1, utf8(""), { body: torn() });
    pair.client.setDispatcher(add);
    expect(text(await call)).toBe(`a ${ErrorCode.aborted}`);
  });

  it("a call is given up by its signal, and its handler hears of it", async () => {
    const heard = Promise.withResolvers<unknown>();
    await using pair = open(({ signal }) => {
      signal.addEventListener("abort", () => heard.resolve(signal.reason));
      abort.abort("enough");
      return new Promise<undefined>(() => {});
    });
    const abort = new AbortController();
    const call = pair.client.call(1, utf8(""), { signal: abort.signal });
    await expect(call).rejects.toMatchObject({ _tag: "CancelledError", cause: "enough" });
    expect(await heard.promise).toMatchObject({ _tag: "CancelledError" });
    await expect(pair.client.call(1, utf8(""), { signal: abort.signal })).rejects.toMatchObject({
      _tag: "CancelledError",
    });
    expect(held(pair.client)).toEqual(NOTHING);
  });

  it("a stream is given up by its signal, as an error", async () => {
    const abort = new AbortController();
    await using pair = open(async function* () {
      yield utf8("a");
      await new Promise(() => {});
    });
    const items = pair.client.startStreamingCall(1, utf8(""), { signal: abort.signal });
    await items.next();
    const next = items.next();
    abort.abort();
    await expect(next).rejects.toMatchObject({ _tag: "CancelledError" });
    expect(await items.next()).toEqual({ done: true, value: undefined });
    expect(() => pair.client.startStreamingCall(1, utf8(""), { signal: abort.signal })).toThrow("cancelled");
  });

  it("a call ends at its timeout", async () => {
    await using pair = open(never);
    await expect(pair.client.call(1, utf8(""), { timeout: 1 })).rejects.toMatchObject({
      _tag: "TimeoutError",
      ms: 1,
    });
    await expect(pair.client.call(1, utf8(""), { timeout: 0 })).rejects.toThrow("timeout must be above 0");
  });

  it("a tunnel that a handler opens is registered by its caller, though the server sends at once", async () => {
    await using pair = open(async ({ session }) => {
      const tunnel = session.openTunnel();
      await session.sendChunk(tunnel.channel, utf8("before you know it, "));
      void (async () => {
        const asked = await new Response(tunnel.readable).text();
        await session.sendChunk(tunnel.channel, utf8(`you said ${asked}`));
        await session.closeTunnel(tunnel.channel);
      })();
      return Uint8Array.of(tunnel.channel);
    });
    const [channel] = await pair.client.call("Pipes.open");
    const tunnel = pair.client.registerTunnel(channel!);
    const writer = tunnel.writable.getWriter();
    await writer.write(utf8("hello"));
    await writer.close();
    expect(await new Response(tunnel.readable).text()).toBe("before you know it, you said hello");
    expect([held(pair.client), held(pair.server)]).toEqual([NOTHING, NOTHING]);
  });

  it("a tunnel carries more than any of its queues holds, byte for byte, while calls go on", async () => {
    await using pair = open(
      ({ payload, session }) => {
        if (payload.length > 0) return payload.slice();
        const tunnel = session.openTunnel({ policy: "pause" });
        void tunnel.readable.pipeTo(tunnel.writable);
        return Uint8Array.of(tunnel.channel);
      },
      { limits: { tunnelBytes: 100_000, highWater: 50_000 } },
      { limits: { tunnelBytes: 100_000, highWater: 50_000 } },
    );
    const [channel] = await pair.client.call(1);
    const tunnel = pair.client.registerTunnel(channel!, { policy: "pause" });
    const blob = Uint8Array.from({ length: 3_000_000 }, (_, i) => i * 31 + (i >> 8));
    const sending = new Blob([blob]).stream().pipeTo(tunnel.writable);
    const back = new Response(tunnel.readable).arrayBuffer();
    for (let n = 0; n < 20; n++)
      expect(await pair.client.call(2, Uint8Array.of(n))).toEqual(Uint8Array.of(n));
    await sending;
    expect(same(new Uint8Array(await back), blob)).toBe(true);
  });

  it("with credit a slow tunnel holds its writer back, and nothing else", async () => {
    const options: RpcSessionOptions = { credits: true, limits: { window: 10_000, highWater: 10_000 } };
    const written = { bytes: 0 };
    await using pair = open(
      ({ payload, session }) => {
        if (payload.length > 0) return Uint8Array.of(1);
        const tunnel = session.openTunnel();
        void new ReadableStream<Uint8Array>({
          pull(controller) {
            written.bytes += 1000;
            controller.enqueue(new Uint8Array(1000));
            if (written.bytes === 200_000) controller.close();
          },
        }).pipeTo(tunnel.writable);
        return Uint8Array.of(tunnel.channel);
      },
      options,
      options,
    );
    const [channel] = await pair.client.call(1);
    const tunnel = pair.client.registerTunnel(channel!);
    for (let n = 0; n < 50; n++) await pair.client.call(2, utf8("x"));
    expect(written.bytes).toBeLessThan(40_000);
    expect(pair.client.stats().unread).toBeLessThanOrEqual(10_000);
    expect((await new Response(tunnel.readable).arrayBuffer()).byteLength).toBe(200_000);
    await tunnel.writable.close();
    await pair.client.call(2, utf8("x"));
    expect([held(pair.client), held(pair.server)]).toEqual([NOTHING, NOTHING]);
  });

  it("a tunnel that is given up fails at the other end; one that is let go of tells it", async () => {
    const served = Promise.withResolvers<[PromiseSettledResult<unknown>, PromiseSettledResult<unknown>]>();
    await using pair = open(({ session }) => {
      const { channel, readable, writable } = session.openTunnel();
      const reading = readable.pipeTo(new WritableStream()); // Chromium's Response says only "Failed to fetch"
      void Promise.allSettled([reading, writable.getWriter().closed]).then(served.resolve);
      return Uint8Array.of(channel);
    });
    const [channel] = await pair.client.call(1);
    {
      await using tunnel = pair.client.registerTunnel(channel!);
      await pair.client.sendChunk(tunnel.channel, utf8("cut here"));
    }
    const [reading, writing] = await served.promise;
    expect(reading).toMatchObject({ status: "rejected", reason: { code: ErrorCode.cancelled } });
    expect(writing).toMatchObject({ status: "rejected", reason: { _tag: "StreamError", by: "peer" } });
    expect([held(pair.client), held(pair.server)]).toEqual([NOTHING, NOTHING]);
  });

  it("a writer is told a RapaceError that the other end gives up with, and no other text", async () => {
    await using pair = open();
    for (const [reason, code, message] of [
      [new RapaceError(ErrorCode.dataLoss, "torn"), ErrorCode.dataLoss, "torn"],
      [new Error("secret"), ErrorCode.aborted, "the writer failed"],
    ] as const) {
      const near = pair.client.openTunnel();
      const far = pair.server.registerTunnel(near.channel);
      await near.writable.abort(reason);
      await expect(far.readable.getReader().read()).rejects.toMatchObject({ code, message });
      await far.writable.close();
      await near.readable.cancel();
    }
  });

  it("sendChunk, closeTunnel and unregisterTunnel do what published sessions call so", async () => {
    await using pair = open();
    const channel = pair.client.nextChannelId();
    pair.client.registerTunnel(channel);
    const far = pair.server.registerTunnel(channel);
    await pair.client.sendChunk(channel, utf8("one"));
    await pair.client.closeTunnel(channel);
    expect(await new Response(far.readable).text()).toBe("one");
    await expect(pair.client.sendChunk(channel, utf8("two"))).rejects.toMatchObject({
      _tag: "RefusedError",
      rule: "R11",
    });
    pair.client.unregisterTunnel(channel);
    await pair.server.sendChunk(channel, utf8("dropped"));
    await expect(far.writable.getWriter().closed).rejects.toMatchObject({ by: "peer" });
    expect(() => pair.client.registerTunnel(channel)).toThrow("is over");
    await expect(pair.client.closeTunnel(99)).rejects.toMatchObject({ rule: "R11" });
    expect([held(pair.client), held(pair.server)]).toEqual([NOTHING, NOTHING]);
  });

  it("a chunk that is no bytes is refused with what to write", async () => {
    await using pair = open();
    const tunnel = pair.client.openTunnel();
    await expect(pair.client.sendChunk(tunnel.channel, "text" as never)).rejects.toThrow("encode it first");
    await pair.client.sendChunk(tunnel.channel, new Uint16Array([1]) as never);
    const far = pair.server.registerTunnel(tunnel.channel);
    expect((await far.readable.getReader().read()).value).toEqual(Uint8Array.of(1, 0));
  });

  it("closing fails every call and tunnel at both ends, with one reason", async () => {
    const pair = open(never);
    const { client, server } = pair;
    const calls = [client.call(1), client.call(2), server.call(3)];
    client.setDispatcher(never);
    const items = client.startStreamingCall(4).next();
    const tunnel = client.openTunnel();
    const far = server.registerTunnel(tunnel.channel);
    const reads = [tunnel, far].map(({ readable }) => readable.getReader().read());
    const outcomes = Promise.allSettled([...calls, items, ...reads]);
    await client.close("lunch");
    const reasons = (await outcomes).map((outcome) =>
      outcome.status === "rejected" ? (outcome.reason as Error) : outcome,
    );
    expect(
      reasons.every(
        (reason) =>
          reason instanceof SessionError || reason instanceof RapaceError || reason instanceof StreamError,
      ),
    ).toBe(true);
    expect(client.error).toMatchObject({ code: "closed", by: "us", message: "lunch" });
    expect(await server.closed).toMatchObject({
      code: "closed",
      by: "peer",
      message: "the peer closed the session: lunch",
    });
    expect([held(client), held(server)]).toEqual([NOTHING, NOTHING]);
    await expect(client.call(1)).rejects.toBe(client.error);
    await expect(client.notify(1)).rejects.toBe(client.error);
    await expect(client.sendChunk(tunnel.channel, utf8(""))).rejects.toBe(client.error);
    expect(() => client.openTunnel()).toThrow(client.error);
    await client.close("again");
  });

  it("a signal closes the session; one that has aborted, at once", async () => {
    const abort = new AbortController();
    const pair = open(never, {}, { signal: abort.signal });
    const call = pair.client.call(1);
    abort.abort();
    await expect(call).rejects.toMatchObject({ _tag: "SessionError", message: "its signal aborted" });
    await pair.server.closed;
    const late = open(never, {}, { signal: AbortSignal.abort() });
    expect((await late.client.closed).message).toBe("its signal aborted");
    await late.server.closed;
  });
});

it("R11: a transport that delivers what it has held while it is asked to go on loses nothing and changes no order", async () => {
  const [left, right] = memoryPair({ unit: "messages" });
  const held: Chunk[] = [];
  const state = { paused: false };
  let deliver: (chunk: Chunk) => void = () => {};
  const holding: Transport = Object.assign(Object.create(left) as Transport, {
    start: (events: TransportEvents) => {
      deliver = (chunk): void => events.onData(chunk);
      left.start({
        onData: (chunk) => (state.paused ? void held.push(chunk) : deliver(chunk)),
        onDrain: () => events.onDrain(),
        onEnd: () => events.onEnd(),
        onClose: (error) => events.onClose(error),
      });
    },
    write: (chunks: readonly Chunk[]) => left.write(chunks),
    close: (reason?: string) => left.close(reason),
    pause: () => void (state.paused = true),
    resume: () => {
      state.paused = false;
      while (!state.paused && held.length > 0) deliver(held.shift()!);
    },
  });
  const client = new RpcSession(holding);
  const server = new RpcSession(right, { role: "acceptor" });
  const tunnel = client.openTunnel({ policy: "pause", chunks: 4 });
  const far = server.registerTunnel(tunnel.channel);
  void (async () => {
    for (let n = 0; n < 500; n++) await server.sendChunk(far.channel, new Uint8Array(5000).fill(n));
    await server.closeTunnel(far.channel);
  })();
  const got: number[] = [];
  const reader = tunnel.readable.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read())
    for (let at = 0; at < next.value.length; at += 5000) got.push(next.value[at]!);
  expect(got).toEqual(Array.from({ length: 500 }, (_, n) => n % 256));
  await client.close();
  await server.closed;
});

it("a transport that does not close is given up after limits.close", async () => {
  const [left] = memoryPair();
  const seen: string[] = [];
  let over: () => void = () => {};
  const stubborn: Transport = Object.assign(Object.create(left) as Transport, {
    start: (events: TransportEvents) => void (over = (): void => events.onClose()),
    write: () => true,
    close: () => void seen.push("close"),
    abort: () => {
      seen.push("abort");
      over();
    },
  });
  const session = new RpcSession(stubborn, { limits: { close: 1 } });
  await session.close("enough");
  expect([seen, session.error?.message]).toEqual([["close", "abort"], "enough"]);
});

it("a stream that a handler answers with after the peer has cancelled is let go of", async () => {
  const [left, right] = memoryPair();
  const cancelled = Promise.withResolvers<string>();
  const abort = new AbortController();
  const server = new RpcSession(right, {
    role: "acceptor",
    dispatcher: async ({ signal }) => {
      const heard = new Promise((resolve) => signal.addEventListener("abort", resolve));
      abort.abort();
      await heard;
      return new ReadableStream({ cancel: () => cancelled.resolve("let go of") });
    },
  });
  const client = new RpcSession(left);
  const items = client.startStreamingCall(1, undefined, { signal: abort.signal });
  await expect(items.next()).rejects.toMatchObject({ _tag: "CancelledError" });
  expect(await cancelled.promise).toBe("let go of");
  await client.close();
  await server.closed;
  expect(held(server)).toEqual(NOTHING);
});

it("chunks for a writer that is over are let go of unread", async () => {
  const machine = new Scripted().machine;
  const { writer } = machine.register(2, {});
  writer.reset(new Error("over"), undefined);
  const reasons: unknown[] = [];
  await pump(new ReadableStream({ cancel: (reason) => void reasons.push(reason) }), writer, 10);
  await Promise.resolve();
  expect(reasons).toEqual([new Error("over")]);
});

it("a transport of text is refused with what to use", () => {
  const [left] = memoryPair({ unit: "messages" });
  const texts: Transport = Object.assign(Object.create(left) as Transport, { encoding: "json" });
  expect(() => new RpcSession(texts)).toThrow("use stdio, TCP or WebSocket");
});

it("a listener that throws does not end the session", async () => {
  const printed = vi.spyOn(console, "error").mockImplementation(() => {});
  const [left, right] = memoryPair();
  const client = new RpcSession(left);
  const server = new RpcSession(right, {
    role: "initiator",
    onFault: () => {
      throw new Error("listener");
    },
  });
  await expect(client.call(1)).rejects.toMatchObject({ code: ErrorCode.invalidArgument });
  expect([server.error, server.stats().faults, printed.mock.calls]).toEqual([
    undefined,
    1,
    [[new Error("listener")]],
  ]);
  printed.mockRestore();
  await client.close();
});
