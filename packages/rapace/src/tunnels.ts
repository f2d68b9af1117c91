// Everything that travels as chunks: tunnels, streamed answers, bodies. Two halves by channel, each with a life of its
// own; what of a channel is over is remembered, so that what still comes for it is dropped and never taken for a request.
import { ForeignRegistry, ITEM_COST, StreamCode, StreamError } from "@sluice/streams";
import { RefusedError } from "@sluice/core";
import { cancelPayload, grantPayload, VERB } from "./control.ts";
import { Remembered } from "./channels.ts";
import { Early } from "./early.ts";
import { ErrorCode, RapaceError, readError } from "./error.ts";
import { FLAG } from "./frame.ts";
import type { Limits } from "./limits.ts";
import { own } from "./own.ts";
import type { Outbox } from "./outbox.ts";
import { Reader, type ReaderHost, type ReaderKind, type ReadPolicy } from "./reader.ts";
import { Writer, type WriterHost, type WriterKind } from "./writer.ts";

export class Tunnels implements ReaderHost, WriterHost {
  readonly early: Early;
  readonly #limits: Limits;
  readonly #outbox: Outbox;
  readonly #incoming: ForeignRegistry<number>;
  readonly #readers: Map<number, Reader> = new Map();
  readonly #writers: Map<number, Writer> = new Map();
  readonly #gone: Remembered;
  // R10: bytes that each of our writers begins with; undefined while the peer has not offered credit.
  #window: number | undefined;

  constructor(limits: Limits, outbox: Outbox, pause: (paused: boolean) => void) {
    this.#limits = limits;
    this.#outbox = outbox;
    this.early = new Early(limits);
    this.#incoming = new ForeignRegistry(pause, { bytes: limits.unread });
    this.#gone = new Remembered(limits.remembered);
  }

  /** Halves that somebody holds, or that the peer has yet to end. */
  get open(): number {
    return this.#readers.size + this.#writers.size;
  }
  get unread(): number {
    return this.#incoming.held;
  }
  get queued(): number {
    let bytes = 0;
    for (const writer of this.#writers.values()) bytes += writer.queued;
    return bytes;
  }

  has(channel: number): boolean {
    return this.#readers.has(channel) || this.#writers.has(channel);
  }
  /** Whether the peer has ended it, or it is over here. */
  isGone(channel: number): boolean {
    return this.#gone.has(channel);
  }
  writer(channel: number): Writer | undefined {
    return this.#writers.get(channel);
  }
  reader(channel: number): Reader | undefined {
    return this.#readers.get(channel);
  }

  /** An id begins again. */
  reuse(channel: number): void {
    this.#gone.delete(channel);
  }

  /** Reads a channel from now on, and what has come for it before. @throws RefusedError */
  read(channel: number, kind: ReaderKind, { policy = "fail", chunks, bytes }: ReadPolicy): Reader {
    this.#room();
    const half = this.#incoming.open(channel, {
      policy,
      chunks: chunks ?? this.#limits.tunnelChunks,
      bytes: bytes ?? this.#limits.tunnelBytes,
    });
    const reader = new Reader(channel, kind, half, this);
    this.#readers.set(channel, reader);
    const early = this.early.take(channel);
    for (let chunk = early?.read(); chunk !== undefined; chunk = early?.read())
      this.#incoming.arrive(channel, chunk);
    if (early?.isOver !== true) return reader;
    this.#readers.delete(channel);
    this.#gone.add(channel);
    if (early.error === undefined) half.end();
    else half.fail(early.error);
    return reader;
  }

  /** Writes a channel from now on. @throws RefusedError */
  write(channel: number, kind: WriterKind, endFlags: number): Writer {
    this.#room();
    const writer = new Writer(channel, kind, endFlags, this.#limits.highWater, this);
    if (this.#window !== undefined) writer.limit(this.#window);
    this.#writers.set(channel, writer);
    return writer;
  }

  /** Why there cannot be so many halves more, if there cannot. */
  refusal(more: number): RefusedError | undefined {
    const { tunnels } = this.#limits;
    if (this.open + more <= tunnels) return undefined;
    return new RefusedError("limits.tunnels", `${tunnels} directions of tunnels are open: end one first`);
  }

  #room(): void {
    const refusal = this.refusal(1);
    if (refusal !== undefined) throw refusal;
  }

  /** A chunk, an end or an error. `late`: for a channel that is over here, and dropped. */
  arrive(channel: number, flags: number, payload: Uint8Array): "taken" | "late" {
    const reader = this.#readers.get(channel);
    if (reader === undefined) return "late";
    const { half } = reader;
    const open = half.state === "open";
    const isError = (flags & FLAG.error) !== 0;
    const ends = isError || (flags & FLAG.eos) !== 0;
    if (ends) this.#forget(channel);
    if (!open) {
      if (ends) return "late";
      this.wasRead(reader, payload.length + ITEM_COST); // or a writer with credit waits for a reader that is gone
      this.stopped(reader);
      return "late";
    }
    if (isError) half.fail(peerError(payload));
    else if (payload.length > 0 || (flags & FLAG.eos) === 0) this.#incoming.arrive(channel, own(payload));
    if (ends && !isError) half.end();
    else if (!ends && half.error !== undefined) this.stopped(reader);
    return "taken";
  }

  /** For a channel that nobody has registered. */
  arriveEarly(channel: number, flags: number, payload: Uint8Array): void {
    const half = this.early.for(channel);
    if ((flags & FLAG.error) !== 0) return half.fail(peerError(payload));
    if (payload.length > 0 || (flags & FLAG.eos) === 0) this.early.arrive(channel, own(payload));
    if ((flags & FLAG.eos) !== 0) half.end();
  }

  /** The peer wants no more of this channel and sends no more on it. False where there is no such channel. */
  cancelled(channel: number): boolean {
    const reader = this.#readers.get(channel);
    const writer = this.#writers.get(channel);
    if (reader === undefined && writer === undefined) return false;
    const error = new StreamError(StreamCode.cancelled, "peer", "the peer cancelled the channel");
    this.#forget(channel);
    reader?.half.fail(error);
    writer?.reset(error, undefined);
    return true;
  }

  /** R10: both ends have offered credit. `window`: what each of our writers begins with. */
  creditBegins(window: number): void {
    if (this.#window !== undefined) return;
    this.#window = window;
    for (const writer of this.#writers.values()) writer.limit(window);
  }

  granted(channel: number, bytes: number): void {
    if (this.#window !== undefined) this.#writers.get(channel)?.grant(bytes);
  }

  /** What belongs to a request that has been answered, or a call that is over: nothing more is said or heard on it. */
  close(channel: number, remember: boolean): void {
    this.early.drop(channel);
    const reader = this.#readers.get(channel);
    if (reader === undefined && !remember) return;
    this.#readers.delete(channel);
    this.#gone.add(channel);
    reader?.half.stop();
  }

  /** The session is over: each fails with its reason, the latest first. */
  lose(reason: Error): void {
    this.early.clear();
    const writers = [...this.#writers.values()].reverse();
    this.#writers.clear();
    this.#readers.clear();
    this.#incoming.lose(reason);
    for (const writer of writers) writer.lose(reason);
  }

  /** What the peer's readers are told before it: every stream of ours is cut. */
  tellLost(told: RapaceError): void {
    for (const writer of this.#writers.values()) if (!writer.isOver) this.#outbox.error(writer.channel, told);
  }

  // What the halves tell.

  wasRead(reader: Reader, bytes: number): void {
    if (this.#window === undefined) return;
    reader.ungranted += bytes;
    if (reader.ungranted < this.#limits.window / 2 || !this.#readers.has(reader.channel)) return;
    this.#outbox.control(VERB.grantCredits, grantPayload(reader.channel, reader.ungranted), reader.ungranted);
    reader.ungranted = 0;
  }

  // There is no word for "I read no more" but to cancel the channel, both ways. So of a tunnel it is said once our own
  // direction is over, and of the body of a request never: its answer says it.
  stopped(reader: Reader): void {
    const { channel, kind } = reader;
    if (kind === "body" || this.#readers.get(channel) !== reader) return;
    const writer = this.#writers.get(channel);
    if (kind === "tunnel" && writer !== undefined) return;
    this.#forget(channel);
    this.#outbox.control(VERB.cancelChannel, cancelPayload(channel, "client"));
    writer?.reset(new StreamError(StreamCode.cancelled, "us", "the call is over"), undefined);
  }

  ready(writer: Writer): void {
    this.#outbox.ready(writer);
  }

  over(writer: Writer, told: RapaceError | undefined): void {
    const { channel } = writer;
    if (this.#writers.get(channel) !== writer) return;
    this.#writers.delete(channel);
    if (told !== undefined) this.#outbox.error(channel, told);
    const reader = this.#readers.get(channel);
    if (reader !== undefined && reader.half.state !== "open") this.stopped(reader);
  }

  #forget(channel: number): void {
    this.#readers.delete(channel);
    this.#gone.add(channel);
  }
}

/** R7: what a stream of the peer's failed with. */
function peerError(payload: Uint8Array): StreamError {
  const cause = readError(payload);
  const code = cause.code === ErrorCode.cancelled ? StreamCode.cancelled : StreamCode.internal;
  return new StreamError(code, "peer", cause.message, { cause });
}
