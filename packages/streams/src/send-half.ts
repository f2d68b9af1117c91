// The writer's end of a stream. What is written waits here until there is credit and a turn; it is cut into frames
// when it is sent, not when it is written, so that frames can be small while calls wait.
import { DATA_LIMIT } from "@sluice/codec";
import { Deque } from "./deque.ts";
import { StreamCode, StreamError } from "./error.ts";
import { may, move, type Table } from "./table.ts";
import { SendWindow } from "./window.ts";

export type SendState = "open" | "ending" | "ended" | "reset" | "lost";
type SendEvent = "data" | "end" | "sent" | "reset" | "lost";

/** S8, S9: `ending` has written its end and not sent it; `lost` had its session end under it. */
export const SEND_HALF: Table<SendState, SendEvent> = {
  open: { data: "open", end: "ending", reset: "reset", lost: "lost" },
  ending: { sent: "ended", reset: "reset", lost: "lost" },
  ended: {},
  reset: {},
  lost: {},
};

/** S5: what an item costs beside its bytes. */
export const ITEM_COST = 32;

/** One data frame, or the end alone. */
export interface Piece {
  readonly payload: Uint8Array;
  readonly item: boolean;
  /** The item goes in this frame alone; false for a part of one. */
  readonly whole: boolean;
  readonly more: boolean;
  readonly end: boolean;
}

/** What a half needs from its session. */
export interface SendHost {
  /** There is something to send and credit for it. */
  ready(half: SendHalf): void;
  /** The half was reset: tell the peer, and forget the half. Its own listeners hear from the half. */
  reset(half: SendHalf, code: number, message: string, data: unknown): void;
}

export class SendHalf {
  readonly kind = "send" as const;
  readonly id: number;
  readonly of: "bytes" | "items";
  readonly window: SendWindow;
  /** Called when there is room again after `write` returned false, and when the half is over. */
  onRoom: (() => void) | undefined;
  /** Called once, when the half is over: without an error its end was sent. */
  onOver: ((error: StreamError | undefined) => void) | undefined;
  /** Called once, when nobody here holds it any more: for lifetimes that hang on it. */
  onReleased: (() => void) | undefined;
  /** S11: somebody uses it, or has. */
  taken = false;
  /** S11: whether somebody holds it without having used it yet. */
  isHeld: (() => boolean) | undefined;
  readonly #host: SendHost;
  readonly #highWater: number;
  #state: SendState = "open";
  #error: StreamError | undefined;
  readonly #largestItem: number;
  readonly #queue: Deque<Uint8Array> = new Deque();
  #queued = 0;
  // How much of the item in front has been sent.
  #itemSent = 0;
  // L2: no grant will come any more.
  #lastCredit: Error | undefined;

  /**
   * @param highWater bytes that may wait before `write` asks to wait
   * @param largestItem bytes of the largest item the reader takes (S6)
   */
  constructor(
    id: number,
    of: "bytes" | "items",
    window: number,
    highWater: number,
    host: SendHost,
    largestItem: number = Number.POSITIVE_INFINITY,
  ) {
    this.id = id;
    this.of = of;
    this.window = new SendWindow(window);
    this.#highWater = highWater;
    this.#largestItem = largestItem;
    this.#host = host;
  }

  get state(): SendState {
    return this.#state;
  }
  /** Bytes written and not sent. */
  get queued(): number {
    return this.#queued;
  }
  /** Why it is over, where it did not end. */
  get error(): StreamError | undefined {
    return this.#error;
  }
  get isOver(): boolean {
    return this.#state !== "open" && this.#state !== "ending";
  }
  get hasRoom(): boolean {
    return this.#queued < this.#highWater;
  }
  /** Whether a frame can go out now. */
  get canSend(): boolean {
    const head = this.#queue.peek();
    if (head === undefined) return this.#state === "ending";
    if (this.of === "bytes") return this.window.available > 0;
    const character = Math.min(head.length - this.#itemSent, LONGEST_CHARACTER);
    return this.window.available >= character + (this.#startsItem ? ITEM_COST : 0);
  }

  get #startsItem(): boolean {
    return this.of === "items" && this.#itemSent === 0;
  }

  /**
   * Takes a chunk of a byte stream, or the UTF-8 of one item; the memory is the half's from then on.
   * Returns false when the writer should wait for `onRoom`. After the half is over the chunk is dropped;
   * an item the reader does not take ends the stream with code 2.
   */
  write(chunk: Uint8Array): boolean {
    if (this.isOver) return false;
    this.#state = move(SEND_HALF, this.#state, "data");
    if (this.of === "items" && chunk.length > this.#largestItem) {
      this.reset(
        StreamCode.limit,
        `an item of ${chunk.length} bytes; the peer takes ${this.#largestItem} (limits.item)`,
      );
      return false;
    }
    if (chunk.length === 0) return this.hasRoom;
    this.#queue.push(chunk);
    this.#queued += chunk.length;
    this.#announce();
    return this.hasRoom;
  }

  /** Everything has been written. A second end, or one after the half is over, does nothing. */
  end(): void {
    if (!may(SEND_HALF, this.#state, "end")) return;
    this.#state = move(SEND_HALF, this.#state, "end");
    this.#announce();
  }

  /** Gives the stream up: what waits is dropped. After the end has been sent it does nothing. */
  reset(
    code: number,
    message: string,
    by: "us" | "peer" = "us",
    options: { cause?: unknown; data?: unknown } = {},
  ): void {
    if (!may(SEND_HALF, this.#state, "reset")) return;
    this.#state = move(SEND_HALF, this.#state, "reset");
    this.#host.reset(this, code, message, options.data);
    this.#over(new StreamError(code, by, message, options));
    this.onReleased?.();
  }

  /** The session is gone; nobody is told. */
  lose(cause: Error): void {
    if (!may(SEND_HALF, this.#state, "lost")) return;
    this.#state = move(SEND_HALF, this.#state, "lost");
    this.#over(new StreamError(StreamCode.sessionEnded, "peer", cause.message, { cause }));
  }

  /** The peer's grant. */
  granted(offset: number): void {
    if (this.window.grant(offset)) this.#announce();
  }

  /** L2: the peer sends no more, so a writer that needs more credit than it holds fails at once. */
  lastCredit(cause: Error): void {
    this.#lastCredit = cause;
    this.#checkLastCredit();
  }

  /** The next frame, of at most `max` payload bytes; undefined where there is no credit or nothing to send. */
  pull(max: number): Piece | undefined {
    if (!this.canSend) return undefined;
    const head = this.#queue.peek();
    if (head === undefined) {
      this.#sent();
      return END;
    }
    // Nothing empty is ever queued: its memory was transferred away after it had been written.
    if (head.length === 0) {
      this.reset(StreamCode.internal, "a chunk was transferred away before it was sent");
      return undefined;
    }
    // F2: what is left of a turn may be too little for a character, which must not be cut.
    const limit = Math.max(LONGEST_CHARACTER, Math.min(max, DATA_LIMIT));
    const hadRoom = this.hasRoom;
    const piece = this.of === "bytes" ? this.#pullBytes(limit) : this.#pullItem(limit);
    if (piece.end) this.#sent();
    else this.#checkLastCredit();
    if (!hadRoom && this.hasRoom) this.onRoom?.();
    return piece;
  }

  #pullBytes(limit: number): Piece {
    const room = Math.min(limit, this.window.available);
    const head = this.#queue.shift()!;
    let payload = head;
    if (head.length > room) {
      payload = head.subarray(0, room);
      this.#queue.unshift(head.subarray(room));
    } else if (head.length < GATHER && this.#queue.length > 0) payload = this.#gather(head, room);
    this.window.take(payload.length);
    this.#queued -= payload.length;
    return { payload, item: false, whole: false, more: false, end: this.#isLast() };
  }

  // Small writes that wait together travel together; a large one behind them is not copied for it.
  #gather(head: Uint8Array, room: number): Uint8Array {
    const parts = [head];
    let length = head.length;
    for (
      let next = this.#queue.peek();
      next !== undefined && next.length > 0 && next.length < GATHER && length + next.length <= room;
      next = this.#queue.peek()
    ) {
      parts.push(next);
      length += next.length;
      this.#queue.shift();
    }
    const joined = new Uint8Array(length);
    let at = 0;
    for (const part of parts) {
      joined.set(part, at);
      at += part.length;
    }
    return joined;
  }

  // F2: an item above the limit, or above the credit, goes in parts.
  #pullItem(limit: number): Piece {
    const item = this.#queue.peek()!;
    if (this.#startsItem) this.window.take(ITEM_COST);
    const left = item.length - this.#itemSent;
    const room = Math.min(limit, this.window.available);
    const length = left <= room ? left : wholeCharacters(item, this.#itemSent, room);
    const payload = item.subarray(this.#itemSent, this.#itemSent + length);
    this.window.take(length);
    this.#queued -= length;
    const more = length < left;
    const whole = !more && this.#itemSent === 0;
    this.#itemSent = more ? this.#itemSent + length : 0;
    if (!more) this.#queue.shift();
    return { payload, item: true, whole, more, end: !more && this.#isLast() };
  }

  #isLast(): boolean {
    return this.#queue.length === 0 && this.#state === "ending";
  }

  #announce(): void {
    if (this.canSend) this.#host.ready(this);
    else this.#checkLastCredit();
  }

  #checkLastCredit(): void {
    const cause = this.#lastCredit;
    if (cause === undefined || this.canSend || this.#queue.length === 0) return;
    this.reset(StreamCode.sessionEnded, "the peer ended the session and grants no more", "peer", { cause });
  }

  #sent(): void {
    this.#state = move(SEND_HALF, this.#state, "sent");
    this.#over(undefined);
  }

  #over(error: StreamError | undefined): void {
    this.#error = error;
    this.#queue.clear();
    this.#queued = 0;
    const { onRoom, onOver } = this;
    this.onRoom = undefined;
    this.onOver = undefined;
    onOver?.(error);
    onRoom?.();
  }
}

const GATHER = 4 * 1024;
const LONGEST_CHARACTER = 4;
const END: Piece = { payload: new Uint8Array(0), item: false, whole: false, more: false, end: true };

// Parts are cut between characters, so that each is text by itself (the JSON encoding writes it as a string).
function wholeCharacters(bytes: Uint8Array, from: number, length: number): number {
  let n = length;
  while (n > 1 && (bytes[from + n]! & 0xc0) === 0x80) n--;
  return n;
}
