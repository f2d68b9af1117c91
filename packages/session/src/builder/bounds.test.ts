// What a connection holds of what a peer sends, and of what it is asked to send: bounded, each with what happens at the bound.
import { memoryPair, type Transport } from "@sluice/transport";
import { describe, expect, it } from "vitest";
import { notification, request, Untyped, type Responder } from "../builder.ts";
import { answer, call, gate, notice, quiet, RawPeer, type Json } from "./raw-peer.testing.ts";

const Ask = request<{ n: number }, { n: number }>("ask");
const Note = notification<{ n: number }>("note");

const FLOOD = 100_000;

/** Writes as many as it is asked for, as fast as the transport takes them. */
class Flood {
  readonly transport: Transport;
  written = 0;
  readonly #ours: Transport;
  readonly #next: (n: number) => Json;
  readonly #perChunk: number;
  #wanted = 0;

  constructor(unit: "messages" | "bytes", perChunk: number, next: (n: number) => Json) {
    const [theirs, ours] = memoryPair({ unit, highWater: 64 * 1024 });
    this.transport = theirs;
    this.#ours = ours;
    this.#next = next;
    this.#perChunk = perChunk;
    ours.start({
      onData: () => {},
      onDrain: () => this.#pump(),
      onEnd: () => ours.close(),
      onClose: () => {},
    });
  }

  write(count: number): void {
    this.#wanted += count;
    this.#pump();
  }

  end(): void {
    this.#ours.close();
  }

  #pump(): void {
    while (this.written < this.#wanted) {
      const count = Math.min(this.#perChunk, this.#wanted - this.written);
      const texts = Array.from({ length: count }, (_, i) => JSON.stringify(this.#next(this.written + i)));
      this.written += count;
      const chunk =
        this.#ours.unit === "messages" ? texts[0]! : new TextEncoder().encode(`${texts.join("\n")}\n`);
      if (!this.#ours.write([chunk])) return;
    }
  }
}

describe.each([
  ["each by itself", "messages", 1],
  ["hundreds to a chunk", "bytes", 500],
] as const)("a flood of 100,000 notifications, %s", (_name, unit, perChunk) => {
  it("in front of a slow handler pauses the reader: what waits stays within limits.waiting and a chunk, and each is run in order", async () => {
    const flood = new Flood(unit, perChunk, (n) => notice("note", { n }));
    const go = gate();
    const all = gate();
    let expected = 0;
    let most = 0;
    const limits = { waiting: 1000 };
    const connection = Untyped.builder()
      .onReceiveNotification(Note, async ({ n }) => {
        if (n !== expected) throw new Error(`${n} came when ${expected} was due`);
        if (++expected === FLOOD) all.open();
        most = Math.max(most, connection.queue.length);
        await go.opened;
      })
      .start(flood.transport, { limits });
    flood.write(FLOOD);
    await quiet(20);
    const held = flood.written;
    expect(connection.queue.length).toBeGreaterThanOrEqual(limits.waiting);
    expect(connection.queue.length).toBeLessThan(limits.waiting + perChunk);
    await quiet(20);
    // The writer was stopped, too: what it has written is in the queue, or in the transport, which has a bound as well.
    expect([flood.written, expected]).toEqual([held, 1]);
    expect(held).toBeLessThan(10_000);
    go.open();
    await all.opened;
    expect(most).toBeLessThan(limits.waiting + perChunk);
    flood.end();
    await connection.over();
    expect(expected).toBe(FLOOD);
  });
});

it("the bytes that wait are bounded, too", async () => {
  const text = "x".repeat(10_000);
  const flood = new Flood("messages", 1, (n) => notice("note", { n, text }));
  const go = gate();
  const all = gate();
  let seen = 0;
  const connection = Untyped.builder()
    .onReceiveNotification(Note, async () => {
      if (++seen === 1000) all.open();
      await go.opened;
    })
    .start(flood.transport, { limits: { waitingBytes: 100_000 } });
  flood.write(1000);
  await quiet(20);
  expect(connection.queue.length).toBeLessThanOrEqual(11);
  go.open();
  await all.opened;
  flood.end();
  await connection.over();
  expect(seen).toBe(1000);
});

it("a reader that paused goes on once half is gone, and not for every message", async () => {
  const [theirs, ours] = memoryPair({ unit: "messages" });
  const log: string[] = [];
  const watched: Transport = Object.assign(Object.create(theirs) as Transport, {
    start: theirs.start.bind(theirs),
    write: theirs.write.bind(theirs),
    close: theirs.close.bind(theirs),
    abort: theirs.abort.bind(theirs),
    unit: theirs.unit,
    label: theirs.label,
    pause: () => {
      log.push("pause");
      theirs.pause();
    },
    resume: () => {
      log.push(`resume at ${seen}`);
      theirs.resume();
    },
  });
  ours.start({ onData: () => {}, onDrain: () => {}, onEnd: () => ours.close(), onClose: () => {} });
  let seen = 0;
  const go = gate();
  const over = Untyped.builder()
    .onReceiveNotification(Note, async () => {
      seen++;
      await go.opened;
    })
    .connectTo(watched, { limits: { waiting: 10 } });
  ours.write(Array.from({ length: 20 }, (_, n) => JSON.stringify(notice("note", { n }))));
  await quiet();
  expect(log).toEqual(["pause"]);
  go.open();
  ours.close();
  await over;
  expect(seen).toBe(20);
  // 1 runs and 10 wait; at the sixth's turn 5 wait.
  expect(log.slice(0, 2)).toEqual(["pause", "resume at 5"]);
});

it("an answer that a handler awaits gets through a queue that is full", async () => {
  const peer = new RawPeer();
  let seen = 0;
  const over = Untyped.builder()
    .onReceiveRequest(Ask, async ({ n }, responder, cx) => {
      const result = await cx.sendRequest(request<unknown, { n: number }>("back"), { n }).result();
      responder.respond(result);
    })
    .onReceiveNotification(Note, async () => {
      seen++;
      await Promise.resolve();
    })
    .connectTo(peer.transport, { limits: { waiting: 4 }, holding: Number.POSITIVE_INFINITY });
  peer.say(call(1, "ask", { n: 1 }), ...Array.from({ length: 100 }, (_, n) => notice("note", { n })));
  const { id } = await peer.called("back");
  peer.say(...Array.from({ length: 100 }, (_, n) => notice("note", { n })), answer(id, { n: 2 }));
  expect(await peer.answer(1)).toMatchObject({ result: { n: 2 } });
  peer.end();
  await over;
  expect(seen).toBe(200);
});

describe("requests that are handled at once", () => {
  it("beyond limits.calls are answered -32012, and there is room again when one is answered", async () => {
    const peer = new RawPeer();
    const kept: Responder<{ n: number }>[] = [];
    const over = Untyped.builder()
      .onReceiveRequest(Ask, (_, responder) => void kept.push(responder.keep()))
      .connectTo(peer.transport, { limits: { calls: 3 } });
    peer.say(...[1, 2, 3, 4, 5].map((id) => call(id, "ask", { n: id })));
    expect([await peer.next(), await peer.next()]).toMatchObject(
      [4, 5].map((id) => ({ id, error: { code: -32012 } })),
    );
    kept.shift()!.respond({ n: 1 });
    await peer.answer(1);
    peer.say(call(6, "ask", { n: 6 }), call(7, "ask", { n: 7 }));
    expect(await peer.next()).toMatchObject({ id: 7, error: { code: -32012 } });
    for (const responder of kept) responder.respond({ n: 0 });
    for (const id of [2, 3, 6]) expect(await peer.answer(id)).toMatchObject({ result: { n: 0 } });
    peer.end();
    await over;
  });

  it("count where their handlers await answers, and not where they wait for their turn", async () => {
    const peer = new RawPeer();
    const over = Untyped.builder()
      .onReceiveRequest(Ask, async ({ n }, responder, cx) => {
        await cx.sendRequest(request("back"), {}).result();
        responder.respond({ n });
      })
      .onReceiveRequest(request("slow"), async (_, responder) => {
        await quiet(1);
        responder.respond(null);
      })
      .connectTo(peer.transport, { limits: { calls: 10 } });
    peer.say(...Array.from({ length: 50 }, (_, id) => call(`s${id}`, "slow")));
    for (let id = 0; id < 50; id++) expect(await peer.next()).toMatchObject({ id: `s${id}`, result: null });
    peer.say(...Array.from({ length: 50 }, (_, id) => call(id, "ask", { n: id })));
    const backs = [];
    for (let n = 0; n < 10; n++) backs.push(await peer.called("back"));
    for (let n = 0; n < 40; n++)
      expect(await peer.next()).toMatchObject({ id: n + 10, error: { code: -32012 } });
    peer.say(...backs.map(({ id }) => answer(id, 1)));
    for (let id = 0; id < 10; id++) expect(await peer.answer(id)).toMatchObject({ result: { n: id } });
    peer.end();
    await over;
  });
});

it("tasks that run, and requests of ours that wait, are refused beyond limits.pending", async () => {
  const peer = new RawPeer();
  await Untyped.builder().connectWith(
    peer.transport,
    async (cx) => {
      const go = gate();
      for (let n = 0; n < 5; n++) cx.spawn(() => go.opened);
      expect(() => cx.spawn(() => {})).toThrow("5 tasks");
      go.open();
      await quiet();
      cx.spawn(() => {});
      const sent = Array.from({ length: 6 }, (_, n) => cx.sendRequest(Ask, { n }));
      await expect(sent[5]!.result()).rejects.toMatchObject({ _tag: "RefusedError" });
      for (const one of sent.slice(0, 5)) one.detach();
    },
    { limits: { pending: 5 } },
  );
  expect(peer.heard.filter(({ method }) => method === "ask").length).toBe(5);
});

it("a notification that nobody takes waits for room once highWater is reached, and is refused long before memory runs out", async () => {
  const [theirs, ours] = memoryPair({ unit: "messages", highWater: 1000 });
  ours.start({ onData: () => {}, onDrain: () => {}, onEnd: () => ours.close(), onClose: () => {} });
  ours.pause();
  const text = "x".repeat(1000);
  await Untyped.builder().connectWith(
    theirs,
    async (cx) => {
      let state = "waits";
      const refused: unknown[] = [];
      for (let n = 0; n < 1000 && refused.length === 0; n++) {
        cx.sendNotification(notification("n"), { text }).then(
          () => (state = "settled"),
          (error: unknown) => refused.push(error),
        );
        if (n === 20) {
          await quiet();
          state = "waits";
        }
        await Promise.resolve();
      }
      await quiet();
      expect(refused[0]).toMatchObject({ _tag: "RefusedError", rule: "limits.outbox" });
      expect(state).toBe("waits");
      ours.resume();
      await quiet(20);
      expect(state).toBe("settled");
      await cx.sendNotification(notification("n"), { text });
    },
    { limits: { highWater: 10_000, outbox: 200_000 } },
  );
});
