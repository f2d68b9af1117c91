// What is to be sent, and in which order: requests, answers and control as they are made; then chunks, tunnels taking
// turns. Chunks are cut when they are sent and not when they are written.
import { Scheduler } from "@sluice/streams";
import { FLAG } from "./frame.ts";
import { FrameWriter, type FrameHead } from "./frame-writer.ts";
import { writeError, type RapaceError } from "./error.ts";
import type { Writer } from "./writer.ts";

const KiB = 1024;
/** What one write holds of chunks: enough to keep a pipe busy, and less while calls would wait behind it. */
const WRITE = 256 * KiB;
const WRITE_BESIDE_CALLS = 64 * KiB;
/** What one tunnel may send before it is the next one's turn. On a message transport it is copied to be whole, by Node 26 into pools of 64 KiB. */
const TURN = 64 * KiB;
const TURN_MESSAGES = 21 * KiB;
const TURN_BESIDE_CALLS = 16 * KiB;
const FRAME_COST = 68;
/** Frames that go out before the turn is over, so that both ends work at the same time. */
const BURST = 16;

export class Outbox {
  readonly #writer: FrameWriter;
  readonly #turn: number;
  readonly #scheduler: Scheduler<Writer> = new Scheduler();
  readonly #wake: () => void;
  #messages = 1;

  constructor(
    unit: "bytes" | "messages",
    wake: () => void,
    allocate: ((bytes: number) => Uint8Array) | undefined,
  ) {
    this.#writer = new FrameWriter(unit, allocate);
    this.#turn = unit === "bytes" ? TURN : TURN_MESSAGES;
    this.#wake = wake;
  }

  /** Bytes of requests, answers and control that wait. */
  get bytes(): number {
    return this.#writer.length;
  }
  get isBurst(): boolean {
    return this.#writer.frames >= BURST;
  }
  get isEmpty(): boolean {
    return this.#writer.length === 0 && this.#scheduler.isEmpty;
  }

  /** A frame of ours that is counted: a request, a chunk, control. */
  numbered(head: FrameHead, payload: Uint8Array): void {
    this.#writer.frame({ ...head, message: this.#messages++ }, payload);
    this.#wake();
  }

  answer(channel: number, payload: Uint8Array): void {
    this.#writer.frame({ channel, method: 0, flags: FLAG.data | FLAG.eos }, payload);
    this.#wake();
  }

  /** R7: an error in place of an answer, or of the rest of a stream. */
  error(channel: number, error: Pick<RapaceError, "code" | "message">): void {
    this.#writer.frame({ channel, method: 0, flags: FLAG.error | FLAG.eos }, writeError(error));
    this.#wake();
  }

  /** @param credit what a grant grants */
  control(method: number, payload: Uint8Array, credit: number = 0): void {
    const flags = FLAG.control | FLAG.eos | (credit > 0 ? FLAG.credits : 0);
    this.numbered({ channel: 0, method, flags, credit }, payload);
  }

  /** R9: as published peers write one; it is not counted. */
  pong(method: number, payload: Uint8Array): void {
    this.#writer.frame({ channel: 0, method, flags: FLAG.control | FLAG.eos }, payload);
    this.#wake();
  }

  /** The writer can send. */
  ready(writer: Writer): void {
    this.#scheduler.ready(writer);
    this.#wake();
  }

  /** The next write; empty where there is nothing to send. There may be more: ask again. */
  flush(besideCalls: boolean): Uint8Array[] {
    let left = besideCalls ? WRITE_BESIDE_CALLS : WRITE;
    const turn = besideCalls ? TURN_BESIDE_CALLS : this.#turn;
    while (left > 0) {
      const writer = this.#scheduler.next();
      if (writer === undefined) break;
      left -= this.#chunks(writer, turn);
      if (writer.canSend) this.#scheduler.ready(writer);
    }
    return this.#writer.length === 0 ? NOTHING : this.#writer.take();
  }

  /** What is left to say when the session is over: no chunks. */
  last(): Uint8Array[] {
    this.#scheduler.clear();
    return this.#writer.take();
  }

  clear(): void {
    this.#writer.take();
    this.#scheduler.clear();
  }

  #chunks(writer: Writer, turn: number): number {
    let sent = 0;
    while (sent < turn) {
      const piece = writer.pull(turn - sent);
      if (piece === undefined) break;
      sent += piece.payload.length + FRAME_COST;
      const head = { channel: writer.channel, method: 0, flags: piece.flags, message: this.#messages++ };
      this.#writer.frame(head, piece.payload);
      if (!piece.end) continue;
      writer.ended();
      break;
    }
    return sent;
  }
}

const NOTHING: never[] = [];
