// Our session against the published crates, in both directions: as they are, bugs included.
import {
  dispatch,
  ErrorCode,
  i32,
  method,
  methodId,
  RapaceError,
  RpcSession,
  service,
  streamingMethod,
  u32,
  type Dispatcher,
  type RpcSessionOptions,
} from "@sluice/rapace";
import type { Transport } from "@sluice/transport";
import { dial as dialWs, serve as serveWs } from "@sluice/ws";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { buildPeer, startPeer, type RustPeer } from "./rust-peer.ts";
import { dialTcp, listenTcp } from "./tcp.ts";

let absent: string | undefined = "not looked for yet";
beforeAll(async () => {
  absent = await buildPeer();
}, 720_000);
beforeEach((context) => context.skip(absent !== undefined, absent));

const adder = service("Adder", { add: method([i32, i32], i32) });
const range = service("Range", { range: streamingMethod([u32], u32), torn: streamingMethod([u32], u32) });
const pipes = service("Pipe", { open: method([], u32), flood: method([u32], u32) });

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const pattern = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i * 31);

/** What `Drive.run` asks of us. */
const ours: Dispatcher = dispatch(
  adder.serve({ add: (a, b) => a + b }),
  range.serve({
    async *range(count) {
      for (let n = 0; n < count; n++) yield n;
    },
    async *torn() {
      yield 7;
      throw new RapaceError(ErrorCode.dataLoss, "torn");
    },
  }),
  pipes.serve({
    open: (request) => {
      const tunnel = request.session.openTunnel();
      void (async () => {
        const said = await new Response(tunnel.readable).text();
        await request.session.sendChunk(tunnel.channel, utf8(`${said}!`));
        await request.session.closeTunnel(tunnel.channel);
      })();
      return tunnel.channel;
    },
    flood: () => 0,
  }),
  new Map<number, Dispatcher>([
    [methodId("Echo.echo"), ({ payload }) => payload.slice()],
    [methodId("Values.get"), ({ payload }) => utf8(`<${text(payload)}>`)],
    [
      methodId("Fail.fail"),
      () => {
        throw new RapaceError(ErrorCode.invalidArgument, "test error message");
      },
    ],
  ]),
);

const HELD = ["calls", "requests", "waiting", "tunnels", "early", "queued", "unread", "outbox"] as const;
const held = (session: RpcSession): number[] => HELD.map((name) => session.stats()[name]);
const NOTHING = HELD.map(() => 0);

interface Cell {
  readonly version: "0.5" | "0.2";
  readonly over: "tcp" | "ws";
  readonly who: "we dial" | "it dials";
}
const CELLS: Cell[] = [
  { version: "0.5", over: "tcp", who: "we dial" },
  { version: "0.5", over: "tcp", who: "it dials" },
  { version: "0.5", over: "ws", who: "we dial" },
  { version: "0.5", over: "ws", who: "it dials" },
  { version: "0.2", over: "tcp", who: "we dial" },
  { version: "0.2", over: "tcp", who: "it dials" },
];

async function link({ version, over, who }: Cell): Promise<{ peer: RustPeer; transport: Transport }> {
  if (who === "we dial") {
    const peer = await startPeer(version, over);
    const address = peer.address!;
    const transport =
      over === "tcp" ? await dialTcp(address) : await dialWs(`ws://${address}/`, { protocols: [] });
    return { peer, transport };
  }
  if (over === "tcp") {
    const listener = await listenTcp();
    const next = listener.next();
    const peer = await startPeer(version, over, listener.address);
    const transport = await next;
    listener.close();
    return { peer, transport };
  }
  const accepted = Promise.withResolvers<Transport>();
  const server = await serveWs({ onSession: accepted.resolve });
  const peer = await startPeer(version, over, new URL(server.url).host);
  return { peer, transport: await accepted.promise };
}

describe.each(CELLS)("a Rust peer of rapace $version over $over, $who", (cell) => {
  let session: RpcSession;
  let peer: RustPeer;
  const options: RpcSessionOptions = {
    role: cell.who === "we dial" ? "initiator" : "acceptor",
    dialect: cell.version,
    dispatcher: ours,
  };

  beforeAll(async () => {
    if (absent !== undefined) return;
    const made = await link(cell);
    peer = made.peer;
    session = new RpcSession(made.transport, options);
  });
  afterAll(async () => {
    if (absent !== undefined) return;
    await session.close();
    await peer.stop();
  });

  it("answers calls", async () => {
    const { add } = adder.client(session);
    expect([await add(2, 3), await add(-20, 62), await add(-(2 ** 30), -1)]).toEqual([5, 42, -(2 ** 30) - 1]);
  });

  it.each([0, 1, 16, 17, 1000, 65_536, 1_000_003])("gives %d bytes back as they went", async (size) => {
    const back = await session.call("Echo.echo", pattern(size));
    expect(Buffer.from(back).equals(Buffer.from(pattern(size)))).toBe(true);
  });

  it("answers many calls that are in flight at once", async () => {
    const { add } = adder.client(session);
    const sums = await Promise.all(Array.from({ length: 200 }, (_, n) => add(n, 1)));
    expect(sums).toEqual(Array.from({ length: 200 }, (_, n) => n + 1));
  });

  it("answers with errors", async () => {
    await expect(session.call("Fail.fail")).rejects.toMatchObject({ code: 3, message: "test error message" });
    await expect(session.call(1)).rejects.toMatchObject({
      code: 11,
      message: "unknown method_id: 1",
      mayHaveRun: false,
    });
    if (cell.version === "0.5")
      await expect(session.call("Panic.panic")).rejects.toMatchObject({
        code: 12,
        message: "panic in dispatcher: on purpose",
      });
  });

  it("answers with streams, to their end", async () => {
    const got: number[] = [];
    for await (const n of range.client(session).range(1000)) got.push(n);
    expect(got).toEqual(Array.from({ length: 1000 }, (_, n) => n));
  });

  it.skipIf(cell.version === "0.2")("answers with streams that fail", async () => {
    const items = range.client(session).torn(0);
    expect(await items.next()).toEqual({ done: false, value: 7 });
    await expect(items.next()).rejects.toMatchObject({ code: ErrorCode.dataLoss, message: "torn" });
  });

  it("goes on after a stream that we leave early, and after a call that we give up", async () => {
    for await (const n of range.client(session).range(500)) if (n === 3) break;
    const abort = new AbortController();
    const call = session.call("Echo.echo", utf8("x"), { signal: abort.signal });
    abort.abort();
    await expect(call).rejects.toMatchObject({ _tag: "CancelledError" });
    expect(await adder.client(session).add(1, 1)).toBe(2);
    expect([held(session), session.stats().faults]).toEqual([NOTHING, 0]);
  });

  it("ends one direction of a tunnel after the other, while a stream that we left still comes", async () => {
    for await (const n of range.client(session).range(2000)) if (n === 3) break;
    const channel = await pipes.client(session).open();
    const tunnel = session.registerTunnel(channel);
    const writer = tunnel.writable.getWriter();
    await writer.write(utf8("half-"));
    await writer.write(utf8("closed"));
    await writer.close();
    expect(await new Response(tunnel.readable).text()).toBe("half-closed!");
    expect(held(session)).toEqual(NOTHING);
  });

  it.skipIf(cell.version === "0.2")(
    "sends on a tunnel before we know of it, and nothing is lost; calls go on",
    async () => {
      const channel = await pipes.client(session).flood(5_000_000);
      const tunnel = session.registerTunnel(channel, { policy: "pause", bytes: 100_000 });
      const reading = new Response(tunnel.readable).arrayBuffer();
      for (let n = 0; n < 10; n++) expect(await adder.client(session).add(n, n)).toBe(2 * n);
      expect(Buffer.from(await reading).equals(Buffer.from(pattern(5_000_000)))).toBe(true);
      await tunnel.writable.close();
      await adder.client(session).add(1, 1);
      expect(held(session)).toEqual(NOTHING);
    },
  );

  it("calls us while it serves", async () => {
    expect(text(await session.call("Back.call", utf8("value")))).toBe("<value><value>");
  });

  it("calls us: values, errors, streams, tunnels with a half-close", async () => {
    const seen = text(await session.call("Drive.run")).split("\n");
    expect(seen.slice(0, 7)).toEqual([
      "add 42",
      "fail InvalidArgument test error message",
      "missing Unimplemented unknown method_id: 1",
      "blob true",
      "range 0 1 2 end",
      "torn 7 DataLoss torn",
      "pipe half-closed!",
    ]);
    if (cell.version === "0.5") expect(seen[7]).toMatch(/^waiting \[\d*\] \[\]$/);
    expect([held(session), session.stats().faults]).toEqual([NOTHING, 0]);
  });

  it("takes what only two of ours understand, and does not mind: offers of credit, cancels, a close", async () => {
    const made = await link(cell);
    const other = new RpcSession(made.transport, { ...options, credits: true, limits: { window: 1000 } });
    const channel = await pipes.client(other).open();
    const tunnel = other.registerTunnel(channel);
    const said = "x".repeat(50_000);
    await new Blob([said]).stream().pipeTo(tunnel.writable);
    expect(await new Response(tunnel.readable).text()).toBe(`${said}!`);
    await other.close("lunch");
    await made.peer.stop();
    expect(other.error).toMatchObject({ code: "closed", by: "us" });
  });

  it("takes every call and tunnel with it when it goes, and each is told", async () => {
    const made = await link(cell);
    const other = new RpcSession(made.transport, options);
    const tunnel = other.registerTunnel(await pipes.client(other).open());
    const outcomes = Promise.allSettled([
      tunnel.readable.getReader().read(),
      tunnel.writable.getWriter().closed,
    ]);
    await made.peer.stop();
    expect((await outcomes).map((outcome) => outcome.status)).toEqual(["rejected", "rejected"]);
    expect(await other.closed).toMatchObject({ _tag: "SessionError" });
    expect(held(other)).toEqual(NOTHING);
  });
});
