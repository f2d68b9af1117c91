import type { Chunk } from "./transport.ts";

/** What a shaped link does to what it carries, in each direction. All from the seed, so that a run can be repeated. */
export interface Shape {
  /** Default 1. */
  readonly seed?: number;
  /** What has come is handed on after a time between these, in ms. Default 0 to 0. */
  readonly delay?: readonly [number, number];
  /** Most bytes handed on at a time. Default: no limit. On a transport of messages at least one message is. */
  readonly bytesPerTurn?: number;
  /** Cuts bytes into pieces and joins them, so that chunks end anywhere. Default true; nothing on messages. */
  readonly reshape?: boolean;
  /** The link breaks when it has carried this many bytes in both directions together. Default: never. */
  readonly cutAfter?: number;
  /** Once a direction has carried `after` bytes, it stands still for `ms`; with `Infinity`, for good. Default: never. */
  readonly stall?: { readonly after: number; readonly ms: number };
  /** The clock. Default `setTimeout`. */
  readonly schedule?: (fn: () => void, ms: number) => void;
}

/** One direction of a shaped link: a queue that is emptied when the clock says so. */
export class Lane {
  readonly #shape: Shape;
  readonly #unit: "bytes" | "messages";
  /** Takes a chunk; false where it can take no more for now. */
  readonly #deliver: (chunk: Chunk) => boolean;
  readonly #onEmptier: () => void;
  #queue: Chunk[] = [];
  #random: number;
  #carried = 0;
  #stalls: number;
  #state: "idle" | "due" | "held" | "dead" = "idle";
  /** Bytes that wait. */
  waiting = 0;

  constructor(
    shape: Shape,
    salt: number,
    unit: "bytes" | "messages",
    deliver: (chunk: Chunk) => boolean,
    onEmptier: () => void,
  ) {
    this.#shape = shape;
    this.#unit = unit;
    this.#deliver = deliver;
    this.#onEmptier = onEmptier;
    this.#random = ((shape.seed ?? 1) * 2 + salt) >>> 0;
    this.#stalls = shape.stall === undefined ? 0 : 1;
  }

  push(chunk: Chunk): void {
    if (this.#unit === "bytes" && chunk.length === 0) return;
    this.#queue.push(chunk);
    this.waiting += chunk.length;
    this.#plan();
  }

  get empty(): boolean {
    return this.#queue.length === 0;
  }

  get holding(): boolean {
    return this.#state === "held";
  }

  hold(): void {
    if (this.#state !== "dead") this.#state = "held";
  }

  release(): void {
    if (this.#state !== "held") return;
    this.#state = "idle";
    this.#plan();
  }

  kill(): void {
    this.#state = "dead";
    this.#queue = [];
    this.waiting = 0;
  }

  #plan(): void {
    if (this.#state !== "idle" || this.empty) return;
    const [least, most] = this.#shape.delay ?? [0, 0];
    let wait = least + (most - least) * this.#next();
    const stall = this.#shape.stall;
    if (stall !== undefined && this.#stalls > 0 && this.#carried >= stall.after) {
      this.#stalls--;
      wait += stall.ms;
    }
    this.#state = "due";
    if (wait === Infinity) return;
    (this.#shape.schedule ?? setTimeout)(() => this.#turn(), wait);
  }

  #turn(): void {
    // A lane that was held after its turn was planned gets a new one when it is released.
    if (this.#state !== "due") return;
    this.#state = "idle";
    const room = this.#shape.bytesPerTurn ?? Infinity;
    let took = 0;
    while (this.#state === "idle" && !this.empty && (took === 0 || took < room)) {
      const chunk = this.#take(room - took);
      took += Math.max(1, chunk.length);
      this.#carried += chunk.length;
      if (!this.#deliver(chunk)) this.hold();
    }
    this.#onEmptier();
    this.#plan();
  }

  #take(room: number): Chunk {
    const first = this.#queue[0] as Chunk;
    if (this.#unit === "messages" || typeof first === "string") return this.#cut(first, first.length);
    if (this.#shape.reshape === false) return this.#cut(first, Math.min(first.length, room));
    const wish = this.#next() < 0.5 ? first.length : Math.ceil(first.length * this.#next());
    const piece = this.#cut(first, Math.max(1, Math.min(wish, room))) as Uint8Array;
    const second = this.#queue[0];
    if (second === undefined || piece.length >= room || this.#next() < 0.5) return piece;
    const more = this.#cut(second, Math.min(second.length, room - piece.length)) as Uint8Array;
    const joined = new Uint8Array(piece.length + more.length);
    joined.set(piece);
    joined.set(more, piece.length);
    return joined;
  }

  /** Takes the front of the first chunk off the queue. */
  #cut(first: Chunk, length: number): Chunk {
    this.waiting -= length;
    if (length === first.length || typeof first === "string") {
      this.#queue.shift();
      return first;
    }
    this.#queue[0] = first.subarray(length);
    return first.slice(0, length);
  }

  /** From 0 to below 1: mulberry32. */
  #next(): number {
    this.#random = (this.#random + 0x6d2b79f5) >>> 0;
    let t = this.#random;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }
}
