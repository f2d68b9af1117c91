// Streams of protocols that have no credit (codex bodies, rapace tunnels, LSP progress), under their own keys. The
// writer cannot be held back, so each names what happens at its bound: `fail` that stream, or `pause` the transport.
// There is never a silent gap: a route that vanishes is an error, not an end.
import { Deque } from "./deque.ts";
import { StreamCode, StreamError } from "./error.ts";
import { move, type Table } from "./table.ts";

export type ForeignState = "open" | "ended" | "failed" | "done";
type ForeignEvent = "data" | "end" | "fail" | "drained" | "stop";

/** `ended` and `failed` still deliver what had arrived. */
export const FOREIGN_HALF: Table<ForeignState, ForeignEvent> = {
  open: { data: "open", end: "ended", fail: "failed", stop: "done" },
  ended: { data: "ended", end: "ended", fail: "ended", drained: "done", stop: "done" },
  failed: { data: "failed", end: "failed", fail: "failed", drained: "done", stop: "done" },
  done: { data: "done", end: "done", fail: "done", stop: "done" },
};

export interface ForeignOptions {
  /** At the bound: fail this stream, or stop reading the transport until half of it has been read. */
  readonly policy: "fail" | "pause";
  /** Chunks that may wait. Default 256. */
  readonly chunks?: number;
  /** Bytes that may wait. Default 16 MiB. */
  readonly bytes?: number;
  /** How the protocol says that a bound was passed. */
  overflow?(bound: Bound): string;
}

/** What was passed: the stream's own bounds, or the one of all streams together. */
export type Bound = "chunks" | "bytes" | "all";

export class ForeignHalf<K = unknown> {
  readonly key: K;
  readonly policy: "fail" | "pause";
  /** Called when there is something to read, or the end or error has come. */
  onReadable: (() => void) | undefined;
  readonly #maxChunks: number;
  readonly #maxBytes: number;
  readonly #owner: ForeignRegistry<K>;
  readonly #overflow: (bound: Bound) => string | undefined;
  readonly #queue: Deque<Uint8Array> = new Deque();
  #bytes = 0;
  #state: ForeignState = "open";
  #error: StreamError | undefined;

  constructor(key: K, options: ForeignOptions, owner: ForeignRegistry<K>) {
    this.key = key;
    this.policy = options.policy;
    this.#maxChunks = options.chunks ?? 256;
    this.#maxBytes = options.bytes ?? 16 * 1024 * 1024;
    this.#overflow = (bound): string | undefined => options.overflow?.(bound);
    this.#owner = owner;
  }

  get state(): ForeignState {
    return this.#state;
  }
  get error(): StreamError | undefined {
    return this.#error;
  }
  get isOver(): boolean {
    return this.#state === "done";
  }
  get queued(): number {
    return this.#bytes;
  }
  get isFull(): boolean {
    return this.#queue.length >= this.#maxChunks || this.#bytes >= this.#maxBytes;
  }
  get isHalfEmpty(): boolean {
    return this.#queue.length <= this.#maxChunks / 2 && this.#bytes <= this.#maxBytes / 2;
  }

  /** The next chunk; undefined where there is none now: see `isOver` and `error`. */
  read(): Uint8Array | undefined {
    const chunk = this.#queue.shift();
    if (chunk === undefined) return undefined;
    this.#bytes -= chunk.length;
    this.#drained();
    this.#owner.wasRead(this, chunk.length);
    return chunk;
  }

  /** The reader wants no more. Idempotent. */
  stop(): void {
    this.#state = move(FOREIGN_HALF, this.#state, "stop");
    this.#queue.clear();
    const dropped = this.#bytes;
    this.#bytes = 0;
    this.#owner.wasRead(this, dropped);
    this.#owner.remove(this);
    this.onReadable?.();
  }

  /** For the registry: what arrived. False where it was not taken. */
  arrive(chunk: Uint8Array): boolean {
    this.#state = move(FOREIGN_HALF, this.#state, "data");
    if (this.#state !== "open") return false;
    if (this.policy === "fail" && this.isFull) {
      this.overflow(this.#queue.length >= this.#maxChunks ? "chunks" : "bytes");
      return false;
    }
    this.#queue.push(chunk);
    this.#bytes += chunk.length;
    this.onReadable?.();
    return true;
  }

  /** For the registry: a bound was passed. What has arrived is read before the error. */
  overflow(bound: Bound): void {
    const message =
      this.#overflow(bound) ??
      `stream not read in time: ${this.#queue.length} chunks, ${this.#bytes} bytes waiting`;
    this.fail(new StreamError(StreamCode.limit, "us", message));
  }

  end(): void {
    this.#state = move(FOREIGN_HALF, this.#state, "end");
    this.#settled();
  }

  /** The first terminal wins; what has arrived is read before the error. */
  fail(error: StreamError): void {
    if (this.#state === "open") this.#error = error;
    this.#state = move(FOREIGN_HALF, this.#state, "fail");
    this.#settled();
  }

  #settled(): void {
    this.#owner.remove(this);
    this.#drained();
    this.onReadable?.();
  }

  #drained(): void {
    if (this.#queue.length === 0 && (this.#state === "ended" || this.#state === "failed"))
      this.#state = move(FOREIGN_HALF, this.#state, "drained");
  }
}

/** The foreign streams of one session. */
export class ForeignRegistry<K = unknown> {
  readonly #open: Map<K, ForeignHalf<K>> = new Map();
  readonly #full: Set<ForeignHalf<K>> = new Set();
  readonly #pause: (paused: boolean) => void;
  readonly #max: number;
  #held = 0;

  /**
   * @param pause told to stop reading the transport, and to go on
   * @param options.bytes that may wait in all streams together. Beyond: of those that `fail`, the one with most fails.
   *   What it holds is still read, so there may be twice as much, and then the one that data comes for fails.
   *   Default: no such bound.
   */
  constructor(pause: (paused: boolean) => void, options: { readonly bytes?: number } = {}) {
    this.#pause = pause;
    this.#max = options.bytes ?? Number.POSITIVE_INFINITY;
  }

  /** Bytes that wait to be read, those of streams that are over included. */
  get held(): number {
    return this.#held;
  }

  get size(): number {
    return this.#open.size;
  }

  /** @throws Error where the key is open already; the stream that has it is undisturbed. */
  open(key: K, options: ForeignOptions): ForeignHalf<K> {
    if (this.#open.has(key)) throw new Error("a stream with this key is open");
    const half = new ForeignHalf(key, options, this);
    this.#open.set(key, half);
    return half;
  }

  get(key: K): ForeignHalf<K> | undefined {
    return this.#open.get(key);
  }

  /** False where no stream has this key: the chunk is dropped. */
  arrive(key: K, chunk: Uint8Array): boolean {
    const half = this.#open.get(key);
    if (half === undefined) return false;
    if (this.#held + chunk.length > this.#max) this.#makeRoom(half, chunk.length);
    if (half.arrive(chunk)) this.#held += chunk.length;
    if (half.policy === "pause" && half.isFull && !this.#full.has(half)) {
      this.#full.add(half);
      if (this.#full.size === 1) this.#pause(true);
    }
    return true;
  }

  /** Fails every stream: the session is gone. */
  lose(cause: Error): void {
    const error = new StreamError(StreamCode.sessionEnded, "peer", cause.message, { cause });
    for (const half of [...this.#open.values()].reverse()) half.fail(error);
  }

  remove(half: ForeignHalf<K>): void {
    if (this.#open.get(half.key) === half) this.#open.delete(half.key);
    if (this.#full.delete(half) && this.#full.size === 0) this.#pause(false);
  }

  wasRead(half: ForeignHalf<K>, bytes: number): void {
    this.#held -= bytes;
    if (half.isHalfEmpty && this.#full.delete(half) && this.#full.size === 0) this.#pause(false);
  }

  // The one that hogs is the one that fails, not whoever is next.
  #makeRoom(arriving: ForeignHalf<K>, bytes: number): void {
    let most = arriving;
    let held = arriving.queued + bytes;
    for (const half of this.#open.values())
      if (half.policy === "fail" && half.queued > held) [most, held] = [half, half.queued];
    const failing = this.#held + bytes > 2 * this.#max ? arriving : most;
    if (failing.policy === "fail") failing.overflow("all");
  }
}
