// What we send on one channel as chunks: a tunnel's direction, the items of a streamed answer, the body of a call. Bytes
// are cut when they are sent, and small writes that wait together travel together; items travel whole, each in a frame.
import {
  Deque,
  ITEM_COST,
  may,
  move,
  SEND_HALF,
  StreamCode,
  StreamError,
  type SendState,
} from "@sluice/streams";
import { FLAG } from "./frame.ts";
import { forPeer, type RapaceError } from "./error.ts";

/** What a writer carries, and how its end looks. */
export type WriterKind = "bytes" | "items";

export interface WriterHost {
  /** There is something to send and credit for it. */
  ready(writer: Writer): void;
  /** It is over: its end is on its way, or it was given up. `error`: tell the peer. */
  over(writer: Writer, error: RapaceError | undefined): void;
}

export interface Piece {
  readonly payload: Uint8Array;
  readonly flags: number;
  readonly end: boolean;
}

export class Writer {
  readonly channel: number;
  readonly kind: WriterKind;
  /** Called when there is room again after `write` returned false, and when it is over. */
  onRoom: (() => void) | undefined;
  /** Called once, when it is over: without an error its end was sent. */
  onOver: ((error: Error | undefined) => void) | undefined;
  readonly #host: WriterHost;
  readonly #highWater: number;
  readonly #queue: Deque<Uint8Array> = new Deque();
  readonly #endFlags: number;
  #queued = 0;
  #state: SendState = "open";
  #error: Error | undefined;
  // R10: what was sent since the beginning, and what may be; without end where the peer has not offered credit.
  #sent = 0;
  #granted = Number.POSITIVE_INFINITY;

  /**
   * @param endFlags of the frame that ends it
   * @param highWater bytes that may wait before `write` asks to wait
   */
  constructor(channel: number, kind: WriterKind, endFlags: number, highWater: number, host: WriterHost) {
    this.channel = channel;
    this.kind = kind;
    this.#endFlags = endFlags;
    this.#highWater = highWater;
    this.#host = host;
  }

  get state(): SendState {
    return this.#state;
  }
  get error(): Error | undefined {
    return this.#error;
  }
  get isOver(): boolean {
    return this.#state !== "open" && this.#state !== "ending";
  }
  /** Bytes written and not sent. */
  get queued(): number {
    return this.#queued;
  }
  get hasRoom(): boolean {
    return this.#queued < this.#highWater;
  }
  /** Bytes that may be sent; what a chunk costs beside its own counts, too. */
  get credit(): number {
    return this.#granted - this.#sent;
  }
  /** Whether a frame can go out now. An end needs no credit. */
  get canSend(): boolean {
    if (this.#queue.length === 0) return this.#state === "ending";
    return this.kind === "bytes" ? this.credit > ITEM_COST : this.credit > 0;
  }

  /**
   * Takes a chunk; its memory is the writer's from then on. False: wait for `onRoom`. After it is over it drops chunks.
   * An empty chunk is an item, and as bytes nothing.
   */
  write(chunk: Uint8Array): boolean {
    if (this.isOver) return false;
    this.#state = move(SEND_HALF, this.#state, "data");
    if (chunk.length === 0 && this.kind === "bytes") return this.hasRoom;
    this.#queue.push(chunk);
    this.#queued += chunk.length + ITEM_COST;
    if (this.canSend) this.#host.ready(this);
    return this.hasRoom;
  }

  /** Everything has been written. Once it is over it does nothing. */
  end(): void {
    if (!may(SEND_HALF, this.#state, "end")) return;
    this.#state = move(SEND_HALF, this.#state, "end");
    if (this.canSend) this.#host.ready(this);
  }

  /** Gives it up: what waits is dropped. `told`: what the peer is told, if anything. Once it is over it does nothing. */
  reset(error: Error, told: RapaceError | undefined): void {
    if (!may(SEND_HALF, this.#state, "reset")) return;
    this.#state = move(SEND_HALF, this.#state, "reset");
    this.#over(error, told);
  }

  /** The session is gone. */
  lose(cause: Error): void {
    if (!may(SEND_HALF, this.#state, "lost")) return;
    this.#state = move(SEND_HALF, this.#state, "lost");
    this.#over(new StreamError(StreamCode.sessionEnded, "peer", cause.message, { cause }), undefined);
  }

  /** R10: from now on there is credit: a window to begin with, and what is granted. */
  limit(window: number): void {
    this.#granted = Math.min(this.#granted, window);
  }

  /** The peer's grant. */
  grant(bytes: number): void {
    this.#granted += bytes;
    if (this.canSend) this.#host.ready(this);
  }

  /** The next frame, of at most `max` payload bytes unless it is an item; undefined where there is none to send. */
  pull(max: number): Piece | undefined {
    if (!this.canSend) return undefined;
    const head = this.#queue.shift();
    if (head === undefined) return { payload: NOTHING, flags: this.#endFlags, end: true };
    // Nothing empty is ever queued as bytes: its memory was transferred away after it had been written.
    if (head.length === 0 && this.kind === "bytes") {
      const message = "a chunk was transferred away before it was sent";
      this.reset(new StreamError(StreamCode.internal, "us", message), forPeer(undefined));
      return undefined;
    }
    const hadRoom = this.hasRoom;
    const payload = this.kind === "items" ? head : this.#cut(head, Math.min(max, this.credit - ITEM_COST));
    this.#queued -= payload === head ? head.length + ITEM_COST : 0;
    this.#sent += payload.length + ITEM_COST;
    if (!hadRoom && this.hasRoom) this.onRoom?.();
    return { payload, flags: FLAG.data, end: false };
  }

  /** The frame that ends it has been written. */
  ended(): void {
    this.#state = move(SEND_HALF, this.#state, "sent");
    this.#over(undefined, undefined);
  }

  #cut(head: Uint8Array, room: number): Uint8Array {
    if (head.length > room) {
      this.#queue.unshift(head.subarray(room));
      this.#queued -= room;
      return head.subarray(0, room);
    }
    if (head.length >= GATHER || this.#queue.length === 0) return head;
    return this.#gather(head, room);
  }

  // A large chunk behind them is not copied for them.
  #gather(head: Uint8Array, room: number): Uint8Array {
    const parts = [head];
    let length = head.length;
    for (
      let next = this.#queue.peek();
      next !== undefined && next.length < GATHER && length + next.length <= room;
      next = this.#queue.peek()
    ) {
      parts.push(next);
      length += next.length;
      this.#queue.shift();
    }
    if (parts.length === 1) return head;
    const joined = new Uint8Array(length);
    let at = 0;
    for (const part of parts) {
      joined.set(part, at);
      at += part.length;
    }
    this.#queued -= length + parts.length * ITEM_COST;
    return joined;
  }

  #over(error: Error | undefined, told: RapaceError | undefined): void {
    this.#error = error;
    this.#queue.clear();
    this.#queued = 0;
    this.#host.over(this, told);
    const { onRoom, onOver } = this;
    this.onRoom = undefined;
    this.onOver = undefined;
    onOver?.(error);
    onRoom?.();
  }
}

const NOTHING = new Uint8Array(0);
const GATHER = 4 * 1024;
