// The reader's end of a stream. What arrives waits here until it is read; reading grants. The end, or the error, has a
// slot of its own: it can never be crowded out, and comes after everything that arrived before it.
import { Deque } from "./deque.ts";
import { StreamCode, StreamError } from "./error.ts";
import { ItemParts } from "./item-parts.ts";
import { may, move, type Table } from "./table.ts";
import { ReceiveWindow, type Growth } from "./window.ts";

export type ReceiveState = "open" | "ended" | "failed" | "stopping" | "lost" | "done";
type ReceiveEvent = "data" | "end" | "reset" | "stop" | "lost" | "drained";

/**
 * `ended`, `failed` and `lost` still have data to read, and then their terminal. `stopping` (S12): the handle and the
 * queue are gone, the record waits for the peer's end or reset.
 */
export const RECEIVE_HALF: Table<ReceiveState, ReceiveEvent> = {
  open: { data: "open", end: "ended", reset: "failed", stop: "stopping", lost: "lost" },
  ended: { stop: "done", drained: "done", lost: "ended" },
  failed: { stop: "done", drained: "done", lost: "failed" },
  stopping: { data: "stopping", end: "done", reset: "done", lost: "done" },
  lost: { stop: "done", drained: "done", lost: "lost" },
  done: { stop: "done", lost: "done" },
};

/** A data frame, as far as the half needs it. */
export interface Arrival {
  readonly size: number;
  readonly payload: Uint8Array | { readonly value: unknown };
  readonly item: boolean;
  readonly more: boolean;
}

/** What a half needs from its session. */
export interface ReceiveHost {
  grant(half: ReceiveHalf, offset: number): void;
  /** The reader wants no more: tell the peer. */
  stop(half: ReceiveHalf, code: number, message: string): void;
  /** The reader has had everything, or has let go. Called once. */
  released(half: ReceiveHalf): void;
  /** Unread bytes of the whole session changed by so much. */
  unreadBy(delta: number): void;
}

export interface ReceiveOptions {
  readonly window: number;
  readonly growth?: Growth;
  /** Bytes of the largest item. Above: the stream ends with code 2 (S6). */
  readonly item: number;
  /** How deep an item may nest. */
  readonly depth: number;
}

interface Entry {
  readonly payload: Uint8Array | { readonly value: unknown };
  /** What credit counts when it is read. */
  cost: number;
}

export class ReceiveHalf {
  readonly kind = "receive" as const;
  readonly id: number;
  readonly of: "bytes" | "items";
  readonly window: ReceiveWindow;
  /** Called when there is something to read, or the terminal has come. */
  onReadable: (() => void) | undefined;
  /** Called once, when nobody here holds it any more: for lifetimes that hang on it. */
  onReleased: (() => void) | undefined;
  /** S11: somebody uses it, or has. */
  taken = false;
  /** S11: whether somebody holds it without having used it yet. */
  isHeld: (() => boolean) | undefined;
  readonly #host: ReceiveHost;
  readonly #queue: Deque<Entry> = new Deque();
  readonly #parts: ItemParts;
  #state: ReceiveState = "open";
  #error: StreamError | undefined;
  #over = false;
  // Where small chunks that wait are joined.
  #gather: Uint8Array = new Uint8Array(0);

  constructor(id: number, of: "bytes" | "items", options: ReceiveOptions, host: ReceiveHost) {
    this.id = id;
    this.of = of;
    this.window = new ReceiveWindow(options.window, options.growth);
    this.#parts = new ItemParts(options.item, options.depth);
    this.#host = host;
  }

  get state(): ReceiveState {
    return this.#state;
  }
  /** Why it failed; to be raised once everything that arrived has been read. */
  get error(): StreamError | undefined {
    return this.#error;
  }
  /** Whether an item has begun and not finished: then no end may come (F2a). */
  get isInItem(): boolean {
    return this.#parts.open;
  }
  get hasData(): boolean {
    return this.#queue.length > 0;
  }
  /** The reader has had everything, or has let go: nothing more can be read. See `error`. */
  get isOver(): boolean {
    return this.#over;
  }

  // From the wire.

  /** Counts a data frame against the credit and queues it. Returns the rule it breaks, where it breaks one. */
  arrive(frame: Arrival, now?: number): "S4" | "F2a" | undefined {
    const { item, payload } = frame;
    // What is dropped may be of any kind: a stream of one we do not know (S1) is stopped like any other.
    if (item !== (this.of === "items") && this.#state !== "stopping") return "F2a";
    // F2: only the JSON encoding has whole items that are not bytes; one cannot stand inside another.
    if (this.#parts.open && !(payload instanceof Uint8Array)) return "F2a";
    const cost = item ? this.#parts.cost(frame) : frame.size;
    if (!this.window.arrive(cost, now)) return "S4";
    this.#state = move(RECEIVE_HALF, this.#state, "data");
    // S9: counted against the credit the peer knows of, which does not grow any more.
    if (this.#state === "stopping") return undefined;
    this.#host.unreadBy(cost);
    if (this.of === "bytes") this.#pushBytes(payload as Uint8Array);
    else this.#pushItem(frame, cost);
    return undefined;
  }

  /** The peer's end. Returns the rule it breaks, where it breaks one that closes the session. */
  ended(offset: number | undefined): "F2a" | undefined {
    if (this.#parts.open) return "F2a";
    if (offset !== undefined && offset !== this.window.arrived && this.#state === "open") {
      const message = "the stream's end does not match what arrived (S7)";
      this.#fail("end", new StreamError(StreamCode.protocol, "peer", message));
    } else this.#terminal("end");
    return undefined;
  }

  wasReset(code: number, message: string, data: unknown): void {
    this.#host.unreadBy(-this.#parts.discard()); // F2
    this.#fail("reset", new StreamError(code, "peer", message, { data }));
  }

  /** The session is gone; what arrived can still be read. */
  lose(cause: Error): void {
    this.#host.unreadBy(-this.#parts.discard());
    if (this.#state === "open") {
      this.#fail("lost", new StreamError(StreamCode.sessionEnded, "peer", cause.message, { cause }));
    } else this.#state = move(RECEIVE_HALF, this.#state, "lost");
  }

  // From the reader.

  /** The next chunk or item; undefined where there is none now: see `isOver` and `error`. Never throws. */
  read(): unknown {
    const entry = this.#queue.shift();
    if (entry === undefined) return undefined;
    const { payload } = entry;
    const value = this.of === "bytes" ? payload : this.#parts.value(payload);
    this.#consumed(entry.cost);
    if (value instanceof StreamError) {
      this.#dropAll();
      if (this.#state === "open") this.stop(value.code, value.message, value);
      else this.#fail(undefined, value);
      return undefined;
    }
    if (this.#queue.length === 0) this.#drained();
    return value;
  }

  /** The reader wants no more. Idempotent, never throws. `error` is what later reads are told; without one they just end. */
  stop(code: number, message: string, error?: StreamError): void {
    if (!may(RECEIVE_HALF, this.#state, "stop") || this.#over) return;
    const tellPeer = this.#state === "open";
    this.#state = move(RECEIVE_HALF, this.#state, "stop");
    this.#error = error;
    this.#dropAll();
    this.window.close();
    if (tellPeer) this.#host.stop(this, code, message);
    const { onReadable } = this;
    this.#release();
    onReadable?.();
  }

  #pushBytes(payload: Uint8Array): void {
    const last = this.#queue.last();
    if (last !== undefined && payload.length < SMALL && last.cost < SMALL) {
      // Single bytes that wait would cost a hundred each; and a view would hold on to the chunk it came in.
      this.#queue.replaceLast(this.#join(last, payload));
      return;
    }
    const awaited = last === undefined && this.onReadable !== undefined;
    const view = awaited || payload.length * HELD >= payload.buffer.byteLength;
    this.#queue.push({ payload: view ? payload : payload.slice(), cost: payload.length });
    if (last === undefined) this.onReadable?.();
  }

  #join(last: Entry, more: Uint8Array): Entry {
    const bytes = last.payload as Uint8Array;
    if (bytes.buffer !== this.#gather.buffer) {
      this.#gather = new Uint8Array(2 * SMALL);
      this.#gather.set(bytes);
    }
    const cost = last.cost + more.length;
    this.#gather.set(more, last.cost);
    return { payload: this.#gather.subarray(0, cost), cost };
  }

  #pushItem(frame: Arrival, cost: number): void {
    const done = this.#parts.add(frame, cost);
    if (done instanceof StreamError) {
      this.stop(done.code, done.message, done);
      return;
    }
    const wasEmpty = this.#queue.length === 0;
    if (done === undefined) {
      if (wasEmpty) this.#consumed(this.#parts.settle());
      return;
    }
    this.#queue.push(done);
    if (wasEmpty) this.onReadable?.();
  }

  #consumed(cost: number): void {
    if (cost === 0) return;
    this.#host.unreadBy(-cost);
    const offset = this.window.read(cost);
    if (offset !== undefined && this.#state === "open") this.#host.grant(this, offset);
  }

  #drained(): void {
    if (may(RECEIVE_HALF, this.#state, "drained")) {
      this.#state = move(RECEIVE_HALF, this.#state, "drained");
      this.#release();
    } else if (this.#parts.open) this.#consumed(this.#parts.settle());
  }

  #terminal(event: "end" | "reset" | "lost"): void {
    const heard = this.#state === "open";
    this.#state = move(RECEIVE_HALF, this.#state, event);
    this.window.close();
    if (!heard) return;
    this.#host.unreadBy(-this.#parts.settle());
    const { onReadable } = this;
    if (this.#queue.length === 0) this.#drained();
    onReadable?.();
  }

  // The first terminal wins (S12): after it the error stays what it was.
  #fail(event: "end" | "reset" | "lost" | undefined, error: StreamError): void {
    if (this.#state === "open" || event === undefined) this.#error = error;
    if (event !== undefined) return this.#terminal(event);
    this.#drained();
    this.onReadable?.();
  }

  #dropAll(): void {
    let unread = this.#parts.discard();
    for (let entry = this.#queue.shift(); entry !== undefined; entry = this.#queue.shift())
      unread += entry.cost;
    if (unread > 0) this.#host.unreadBy(-unread);
  }

  #release(): void {
    if (this.#over) return;
    this.#over = true;
    this.onReadable = undefined;
    this.#host.released(this);
  }
}

const SMALL = 2 * 1024;
/** A view that waits may hold on to so many times its size: smaller ones are copied, larger ones cost less than that. */
const HELD = 8;
