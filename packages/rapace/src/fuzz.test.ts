// Whatever bytes come, in whatever pieces: the decoder gives frames or one error, in time, and keeps no more than its
// limit. Whatever frames come, beside an application that does as it likes: nothing throws, every call has one outcome,
// and nothing is left at the end.
import { expect, it } from "vitest";
import { FLAG } from "./frame.ts";
import { FrameError, FrameReader } from "./frame-reader.ts";
import { frameBytes, join } from "./frames.testing.ts";
import { Random } from "./random.testing.ts";
import type { Reader } from "./reader.ts";
import { Scripted, type Called } from "./scripted.testing.ts";
import { RapaceError } from "./error.ts";
import type { Writer } from "./writer.ts";

const MAX = 512;
const INPUTS = Number(
  (globalThis as { process?: { env: Record<string, string> } }).process?.env["FUZZ_INPUTS"] ?? 1_000_000,
);

// A few valid frames, cut, mixed and spoilt; or nothing but noise.
const SEEDS = [0, 1, 16, 17, 100, 400].map((size) =>
  frameBytes({ channel: size, method: 3, flags: FLAG.data, message: size }, new Uint8Array(size).fill(7)),
);

function input(random: Random): Uint8Array {
  if (random.next(8) === 0) return random.bytes(random.next(100));
  const bytes = join(Array.from({ length: 1 + random.next(3) }, () => random.of(SEEDS)));
  for (let flips = random.next(4); flips > 0; flips--) {
    // The lengths are where it hurts.
    const at = random.next(2) === 0 ? random.next(4) : random.next(bytes.length);
    bytes[at] = random.of([0, 1, 63, 64, 65, 255, random.next(256)]);
  }
  return bytes.subarray(0, random.next(3) === 0 ? random.next(bytes.length + 1) : bytes.length);
}

it(`${INPUTS.toLocaleString("en-US")} inputs: frames or one error, nothing kept above the limit`, () => {
  const random = new Random(1);
  const seen = { frames: 0, errors: 0, cut: 0, largest: 0, held: 0 };
  for (let i = 0; i < INPUTS; i++) {
    const bytes = input(random);
    const reader = new FrameReader("bytes", MAX);
    let error: FrameError | undefined;
    for (let at = 0; at < bytes.length && error === undefined;) {
      const piece = bytes.subarray(at, at + 1 + random.next(bytes.length));
      reader.push(piece);
      at += piece.length;
      for (let frame = reader.next(); frame !== undefined; frame = reader.next()) {
        if (frame instanceof FrameError) {
          error = frame;
          break;
        }
        seen.frames++;
        seen.largest = Math.max(seen.largest, frame.payload.length);
      }
      if (error === undefined) seen.held = Math.max(seen.held, reader.held);
    }
    if (error !== undefined) seen.errors++;
    else if (reader.partial) seen.cut++;
  }
  expect(seen.largest).toBeLessThanOrEqual(MAX);
  expect(seen.held).toBeLessThan(4 + 64 + MAX);
  for (const count of [seen.frames, seen.errors, seen.cut]) expect(count).toBeGreaterThan(INPUTS / 20);
});

class World {
  readonly random: Random;
  readonly script: Scripted;
  readonly calls: Called[] = [];
  readonly readers: Reader[] = [];
  readonly writers: Writer[] = [];

  constructor(seed: number) {
    this.random = new Random(seed);
    const limits = {
      running: 2,
      waiting: 3,
      tunnels: 12,
      tunnelChunks: 4,
      early: 2,
      earlyChunks: 2,
      earlyBytes: 60,
      unread: 200,
      remembered: 6,
      window: 100,
      highWater: 64,
      faults: 12,
      call: 200,
    };
    this.script = new Scripted({
      limits,
      credits: this.random.next(2) === 0,
      role: this.random.of(["initiator", "acceptor"]),
    });
  }

  step(): void {
    const { random, script } = this;
    const { machine } = script;
    const payload = random.bytes(random.next(40));
    const waiting = this.calls.flatMap(({ call }) => (call?.state === "waiting" ? call.channel : []));
    const channel = random.next(3) === 0 ? (waiting.at(-1) ?? 0) : random.next(12);
    const requests = script.seen.requests;
    const request = requests[random.next(Math.max(1, requests.length))];
    switch (random.next(16)) {
      case 0:
        return void this.calls.push(script.call(5, payload, { body: random.next(2) === 0 }));
      case 1:
        return this.#try(() => this.readers.push(machine.stream(6, payload, {}, random.next(2) === 0)));
      case 2:
        return this.#try(() => {
          const policy = random.of(["fail", "pause"] as const);
          const { reader, writer } = machine.register(channel, { policy });
          this.readers.push(reader);
          this.writers.push(writer);
        });
      case 3:
        return void this.readers[random.next(this.readers.length + 1)]?.read();
      case 4:
        return this.readers[random.next(this.readers.length + 1)]?.stop();
      case 5:
        return void this.writers.filter(({ state }) => state === "open")[random.next(4)]?.write(payload);
      case 6:
        return this.writers[random.next(this.writers.length + 1)]?.end();
      case 7:
        return void (request?.succeed(payload) === true && expect(request.isOver).toBe(true));
      case 8:
        return void request?.fail(new RapaceError(3, "no"));
      case 9:
        return this.#try(() => request !== undefined && this.writers.push(request.stream()));
      case 10:
        return this.#try(
          () => request !== undefined && !request.isOver && this.readers.push(request.body({})),
        );
      case 11: {
        const call = this.calls[random.next(this.calls.length + 1)]?.call;
        return call === undefined ? undefined : machine.calls.giveUp(call, new Error("enough"));
      }
      case 12:
        return script.advance(random.next(30));
      case 13:
        return void script.said();
      default: {
        const flags = random.of([0x01, 0x01, 0x04, 0x05, 0x05, 0x105, 0x14, 0x06, 0x46, random.next(0x200)]);
        const method = random.of([0, 0, 0, 1, 2, 3, 4, 5, 6]);
        const control = random.of([
          payload,
          Uint8Array.of(2, channel, 0),
          Uint8Array.of(3, channel, 50),
          Uint8Array.of(1, channel, 0),
        ]);
        const isControl = (flags & FLAG.control) !== 0;
        script.says(
          { channel: isControl ? 0 : channel, method, flags, credit: 9 },
          isControl ? control : payload,
        );
      }
    }
  }

  // What the application does wrong it is told by an error of a class.
  #try(what: () => unknown): void {
    try {
      what();
    } catch (error) {
      const { _tag } = error as { _tag?: string };
      if (_tag === undefined && !(error as Error).message.includes("cannot be answered by a stream"))
        throw error;
    }
  }
}

it("2,000 conversations with a peer and an application that do as they like", () => {
  const seen = { calls: 0, answered: 0, requests: 0, ended: 0 };
  for (let seed = 1; seed <= 2000; seed++) {
    const world = new World(seed);
    for (let i = 0; i < 150; i++) world.step();
    const { script, calls, readers } = world;
    seen.ended += script.seen.ended.length;
    script.machine.close("over");
    script.machine.outbox.clear();
    expect(script.seen.ended.length, `seed ${seed}`).toBe(1);
    for (const { outcomes } of calls) expect(outcomes.length, `seed ${seed}`).toBe(1);
    seen.calls += calls.length;
    seen.answered += calls.filter(({ outcomes }) => "result" in outcomes[0]!).length;
    seen.requests += script.seen.requests.length;
    for (const reader of readers) {
      while (reader.read() !== undefined);
      expect(reader.isOver, `seed ${seed}`).toBe(true);
    }
    const { machine } = script;
    const held = [
      machine.calls.size,
      machine.requests.running,
      machine.requests.waiting,
      machine.tunnels.open,
    ];
    expect(
      [...held, machine.tunnels.early.size, machine.tunnels.early.bytes, machine.tunnels.unread],
      `seed ${seed}`,
    ).toEqual(Array.from({ length: 7 }, () => 0));
  }
  expect(seen.answered).toBeGreaterThan(1000);
  expect(seen.requests).toBeGreaterThan(3000);
  expect(seen.ended).toBeGreaterThan(100);
});
