// What the tests of lifetimes share: two sessions joined in memory, what each of them heard, and ways to wait for an
// event without a clock.
import type { Observer, Stats } from "@sluice/core";
import { memoryPair, type Transport } from "@sluice/transport";
import { expect } from "vitest";
import { connect, serve, assertNoLeaks, type Session, type SessionOptions } from "./index.ts";
import { macrotask } from "./macrotask.ts";

/** How often one end heard each thing, and in which words. */
export class Heard {
  readonly counts: Map<string, number> = new Map();
  /** All but data. */
  readonly frames: unknown[] = [];
  readonly observer: Observer = {
    frame: (direction, frame) => {
      if (direction === "out" || typeof frame === "string") return;
      const name = "type" in frame ? frame.type : "method" in frame ? frame.method : frame.kind;
      this.counts.set(name, this.of(name) + 1);
      // A copy: handles will stand in the message, and would be kept by it.
      if (name !== "data") this.frames.push(JSON.parse(JSON.stringify(frame)));
    },
  };

  /** A frame by its type, a call or notification by its method, an answer as `result` or `error`. */
  of(name: string): number {
    return this.counts.get(name) ?? 0;
  }
}

export const CANCEL = "$/cancelRequest";

/** Two sessions of the plain door: `a` greets. */
export interface Ends {
  readonly a: Session;
  readonly b: Session;
  /** What the peer told each. */
  readonly heard: { readonly a: Heard; readonly b: Heard };
  /** Their transports: what is paused hears nothing. */
  readonly wire: { readonly a: Transport; readonly b: Transport };
}

/** What both ends have unless a test says otherwise: nobody waits for five seconds, and little is on its way. */
export const SWIFT = { close: 200, grace: 20, window: 4096, highWater: 1024 } as const;

export async function open(here: SessionOptions = {}, there: SessionOptions = {}): Promise<Ends> {
  const [left, right] = memoryPair();
  const heard = { a: new Heard(), b: new Heard() };
  const options = (given: SessionOptions, { observer }: Heard): SessionOptions => ({
    onHandlerError: () => {},
    ...given,
    observer,
    limits: { ...SWIFT, ...given.limits },
  });
  const [a, b] = await Promise.all([
    connect(left, options(here, heard.a)),
    serve(right, options(there, heard.b)),
  ]);
  return { a, b, heard, wire: { a: left, b: right } };
}

/** One macrotask. */
export function turn(): Promise<void> {
  return new Promise(macrotask);
}

/** Macrotasks until it is so; fails where it does not become so. */
export async function until(what: () => boolean, turns: number = 50_000): Promise<void> {
  for (let n = 0; n < turns; n++) {
    if (what()) return;
    // Browsers may put timers, by which Effect yields there, behind the messages that make our turns.
    await (n % 1000 === 999 ? new Promise((resolve) => setTimeout(resolve)) : turn());
  }
  throw new Error(`never came true: ${what.toString()}`);
}

/** As many macrotasks as any exchange of messages in memory takes. */
export async function quiet(): Promise<void> {
  for (let n = 0; n < 10; n++) await turn();
}

interface Counted {
  stats(): Stats;
}

export function isEmpty(session: Counted): boolean {
  const { faults: _, ...held } = session.stats();
  return Object.values(held).every((n) => n === 0);
}

/** What every test ends with: neither end holds anything any more, down to the last count. */
export async function expectEmpty({ a, b }: { readonly a: Counted; readonly b: Counted }): Promise<void> {
  await until(() => isEmpty(a) && isEmpty(b)).catch(() => {});
  for (const session of [a, b]) {
    assertNoLeaks(session);
    const { faults: _, ...held } = session.stats();
    expect(Object.entries(held).filter(([, n]) => n !== 0)).toEqual([]);
  }
}

/** As `expectEmpty`, and then both close. */
export async function expectEmptyAndClose(ends: Ends): Promise<void> {
  await expectEmpty(ends);
  await Promise.all([ends.a.close(), ends.b.closed]);
  await expectEmpty(ends);
}

/** Items without end. Says with what it was left, once it was. */
export class Endless implements AsyncIterableIterator<number> {
  left = 0;
  #n = 0;
  next(): Promise<IteratorResult<number>> {
    if (this.left > 0) return Promise.resolve({ done: true, value: undefined });
    return Promise.resolve({ done: false, value: this.#n++ });
  }
  return(): Promise<IteratorResult<number>> {
    this.left++;
    return Promise.resolve({ done: true, value: undefined });
  }
  [Symbol.asyncIterator](): this {
    return this;
  }
}

/** Bytes without end, as a web stream. `reasons` says why it was cancelled. */
export function endlessBytes(size: number = 1000): {
  readonly stream: ReadableStream<Uint8Array>;
  readonly reasons: unknown[];
} {
  const reasons: unknown[] = [];
  const stream = new ReadableStream<Uint8Array>(
    {
      pull: (controller) => controller.enqueue(new Uint8Array(size)),
      cancel: (reason) => void reasons.push(reason),
    },
    { highWaterMark: 0 },
  );
  return { stream, reasons };
}

/** A sink that takes everything. Says how it was over. */
export class Drain {
  readonly chunks: unknown[] = [];
  readonly aborted: unknown[] = [];
  closed = 0;
  readonly stream: WritableStream<Uint8Array> = new WritableStream({
    write: (chunk) => void this.chunks.push(chunk),
    close: () => void this.closed++,
    abort: (reason) => void this.aborted.push(reason),
  });
}

/** A signal that counts who listens to it. */
export class CountedSignal {
  readonly signal: AbortSignal = new AbortController().signal;
  readonly #held: Set<unknown> = new Set();

  constructor() {
    const { signal } = this;
    const add = signal.addEventListener.bind(signal) as (...args: unknown[]) => void;
    const remove = signal.removeEventListener.bind(signal) as (...args: unknown[]) => void;
    signal.addEventListener = (...args: unknown[]): void => {
      this.#held.add(args[1]);
      add(...args);
    };
    signal.removeEventListener = (...args: unknown[]): void => {
      this.#held.delete(args[1]);
      remove(...args);
    };
  }

  get listeners(): number {
    return this.#held.size;
  }
}
