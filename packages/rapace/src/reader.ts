// What the peer sends on one channel as chunks. Its queue is a foreign stream of `@sluice/streams`: bounded, and with a
// policy at the bound, for a published peer cannot be told to wait on one channel alone.
import { ITEM_COST, type ForeignHalf } from "@sluice/streams";
import { RapaceError } from "./error.ts";

/** What happens when more waits than may. */
export interface ReadPolicy {
  /**
   * `fail` (default): that stream fails, after what has come. `pause`: nothing more is read from the transport, of any
   * channel, until half of it has been read.
   */
  readonly policy?: "fail" | "pause";
  /** Chunks that may wait. Default `limits.tunnelChunks`. */
  readonly chunks?: number;
  /** Bytes that may wait. Default `limits.tunnelBytes`. */
  readonly bytes?: number;
}

export interface ReaderHost {
  /** So much has been read, what chunks cost beside their bytes included (R10). */
  wasRead(reader: Reader, bytes: number): void;
  /** Nobody reads it any more; the peer has not ended it. */
  stopped(reader: Reader): void;
}

/** What it reads: one direction of a tunnel, the items that answer a call of ours, or what follows a request of the peer's. */
export type ReaderKind = "tunnel" | "answer" | "body";

export class Reader {
  readonly channel: number;
  readonly kind: ReaderKind;
  readonly half: ForeignHalf<number>;
  readonly #host: ReaderHost;
  /** Read, and not granted again yet. */
  ungranted = 0;

  constructor(channel: number, kind: ReaderKind, half: ForeignHalf<number>, host: ReaderHost) {
    this.channel = channel;
    this.kind = kind;
    this.half = half;
    this.#host = host;
  }

  get isOver(): boolean {
    return this.half.isOver;
  }
  /** Why it did not come to its end, once `isOver`: what the peer sent, or what happened here. */
  get error(): Error | undefined {
    const { error } = this.half;
    return error?.cause instanceof RapaceError ? error.cause : error;
  }
  set onReadable(listener: (() => void) | undefined) {
    this.half.onReadable = listener;
  }

  /** The next chunk; undefined where there is none now: see `isOver` and `error`. */
  read(): Uint8Array | undefined {
    const chunk = this.half.read();
    if (chunk !== undefined) this.#host.wasRead(this, chunk.length + ITEM_COST);
    return chunk;
  }

  /** Wants no more: what waits is dropped, and what still comes. Idempotent. */
  stop(): void {
    const { state } = this.half;
    this.half.stop();
    if (state === "open") this.#host.stopped(this);
  }
}
