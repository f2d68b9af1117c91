// What is to be sent, and in which order: messages and control first, in the order they were made; then grants, of
// which only the latest matters; then stream data, taking turns. Data is cut when it is sent.
import {
  bytesToJson,
  decodeUtf8,
  frameToJson,
  itemToJson,
  Output,
  partToJson,
  type ControlFrame,
  type DataFrame,
  type Framing,
} from "@sluice/codec";
import type { Observer } from "./host.ts";
import { Deque, type Piece, type Scheduler, type SendHalf } from "@sluice/streams";

const KiB = 1024;
/** What one write holds of stream data: enough to keep a pipe busy, and less while calls would wait behind it. */
const WRITE = 256 * KiB;
const WRITE_BESIDE_CALLS = 64 * KiB;
/** What one stream may send before it is the next one's turn. */
const TURN = 64 * KiB;
/**
 * On a message transport: what arrives of a message is held until it is whole, and copied to be so. Three such
 * copies fit into the pool of 64 KiB that Node 26 takes their memory from; of what has 32 KiB or more each has its own.
 */
const TURN_MESSAGES = 21 * KiB;
const TURN_BESIDE_CALLS = 16 * KiB;
const FRAME_COST = 64;
/**
 * Messages that go out before the turn is over. One write for everything is the cheapest, and lets the peer sleep until
 * its end: with 64 calls in flight both ends worked by turns, a quarter slower than side by side.
 */
const BURST = 16;
const NOTHING: never[] = [];

type Control = Exclude<ControlFrame, DataFrame>;

export interface OutboxOptions {
  /** undefined on a transport that carries whole messages. */
  readonly framing: Framing | undefined;
  readonly scheduler: Scheduler;
  /** The half's end is in what was just flushed. */
  readonly ended: (half: SendHalf) => void;
  readonly observer: Observer | undefined;
  readonly allocate: ((bytes: number) => Uint8Array) | undefined;
}

export class Outbox {
  readonly #framing: Framing | undefined;
  readonly #scheduler: Scheduler;
  readonly #ended: (half: SendHalf) => void;
  readonly #observer: Observer | undefined;
  readonly #queue: Deque<string | Control> = new Deque();
  readonly #grants: Map<number, number> = new Map();
  readonly #output: Output;
  #pong: string | undefined;
  #bytes = 0;
  // Text messages for the next write (message transports only).
  #texts: (Uint8Array | string)[] | undefined;
  #frames = false;
  #pieceLimit = Number.POSITIVE_INFINITY;

  constructor(options: OutboxOptions) {
    this.#framing = options.framing;
    this.#scheduler = options.scheduler;
    this.#ended = options.ended;
    this.#observer = options.observer;
    this.#output = new Output(options.framing !== undefined, options.allocate);
  }

  /** Bytes of messages and control that wait, roughly (L4). */
  get bytes(): number {
    return this.#bytes;
  }
  /** Whether so much waits that the peer had better begin with it. */
  get isBurst(): boolean {
    return this.#queue.length >= BURST;
  }
  get isEmpty(): boolean {
    const nothingFlushed = this.#output.length === 0 && this.#texts === undefined;
    const nothingQueued = this.#bytes === 0 && this.#grants.size === 0 && this.#pong === undefined;
    return nothingFlushed && nothingQueued && this.#scheduler.isEmpty;
  }

  /** In JSON a piece of data is a message, and has to be one the peer takes: at most `limit` bytes, escapes included (S5). */
  limitMessages(limit: number): void {
    this.#pieceLimit = Math.max(1, Math.floor((limit - 1024) / 2));
  }

  message(text: string): void {
    this.#queue.push(text);
    this.#bytes += text.length;
  }

  control(frame: Control): void {
    this.#queue.push(frame);
    this.#bytes += FRAME_COST;
  }

  /** L4: only the latest is kept. */
  grant(id: number, offset: number): void {
    this.#grants.set(id, offset);
  }

  forget(id: number): void {
    this.#grants.delete(id);
  }

  /** L4: only the last is kept. */
  pong(token: string): void {
    this.#pong = token;
  }

  /** H3: what is queued goes out as it would have; everything after it in frames. */
  switchToFrames(): void {
    this.#messages();
    this.#frames = true;
  }

  /** The next write: at most `WRITE` of stream data, less `besideCalls`. Empty where there is nothing to send. */
  flush(besideCalls: boolean): (Uint8Array | string)[] {
    this.#messages();
    if (this.#grants.size > 0) this.#sendGrants();
    if (this.#pong !== undefined) this.#control({ type: "pong", token: this.#pong });
    this.#pong = undefined;
    if (!this.#scheduler.isEmpty) this.#data(besideCalls);
    const texts = this.#texts;
    if (texts === undefined) return this.#output.length === 0 ? NOTHING : this.#output.take();
    this.#texts = undefined;
    return this.#output.length === 0 ? texts : texts.concat(this.#output.take());
  }

  #sendGrants(): void {
    for (const [id, offset] of this.#grants) this.#control({ type: "grant", id, offset });
    this.#grants.clear();
  }

  clear(): void {
    this.#queue.clear();
    this.#grants.clear();
    this.#pong = undefined;
    this.#bytes = 0;
  }

  #messages(): void {
    for (let entry = this.#queue.shift(); entry !== undefined; entry = this.#queue.shift()) {
      if (typeof entry !== "string") this.#control(entry);
      else {
        this.#observer?.frame?.("out", entry);
        this.#message(entry);
      }
    }
    this.#bytes = 0;
  }

  #data(besideCalls: boolean): void {
    const whole = this.#framing === undefined ? TURN_MESSAGES : TURN;
    const turn = besideCalls ? TURN_BESIDE_CALLS : whole;
    let left = besideCalls ? WRITE_BESIDE_CALLS : WRITE;
    while (left > 0) {
      const half = this.#scheduler.next();
      if (half === undefined) return;
      const sent = this.#turn(half, turn);
      left -= sent;
      if (half.canSend) this.#scheduler.ready(half);
    }
  }

  #turn(half: SendHalf, turn: number): number {
    let sent = 0;
    while (sent < turn) {
      const piece = half.pull(this.#frames ? turn - sent : Math.min(turn - sent, this.#pieceLimit));
      if (piece === undefined) break;
      sent += piece.payload.length + FRAME_COST;
      this.#piece(half, piece);
      if (piece.end) {
        this.#ended(half);
        break;
      }
    }
    return sent;
  }

  #piece(half: SendHalf, piece: Piece): void {
    if (piece.payload.length === 0)
      return this.#control({ type: "end", id: half.id, offset: half.window.sent });
    this.#observer?.frame?.("out", { type: "data", id: half.id, size: piece.payload.length, ...piece });
    if (this.#frames) this.#output.data(half.id, piece.payload, piece);
    else this.#message(pieceToJson(half.id, piece));
  }

  #control(frame: Control): void {
    this.#observer?.frame?.("out", frame);
    if (this.#frames) this.#output.control(frame);
    else this.#message(frameToJson(frame));
  }

  #message(text: string): void {
    if (this.#frames) this.#output.message(text);
    else if (this.#framing !== undefined) this.#output.framed(text, this.#framing);
    else if (this.#texts === undefined) this.#texts = [text]; // most often it stays the only one
    else this.#texts.push(text);
  }
}

function pieceToJson(id: number, piece: Piece): string {
  const { payload, item, more, end, whole } = piece;
  if (!item) return bytesToJson(id, payload, end);
  const text = decodeUtf8(payload) ?? ""; // pieces are cut between characters
  return whole ? itemToJson(id, text, payload.length, end) : partToJson(id, text, more, end);
}
