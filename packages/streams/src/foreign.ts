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
}

export class ForeignHalf<K = unknown> {
  readonly key: K;
  readonly policy: "fail" | "pause";
  /** Called when there is something to read, or the end or error has come. */
  onReadable: (() => void) | undefined;
  readonly #maxChunks: number;
  readonly #maxBytes: number;
  readonly #owner: ForeignRegistry<K>;
  readonly #queue: Deque<Uint8Array> = new Deque();
  #bytes = 0;
  #state: ForeignState = "open";
  #error: StreamError | undefined;

  constructor(key: K, options: ForeignOptions, owner: ForeignRegistry<K>) {
    this.key = key;
    this.policy = options.policy;
    this.#maxChunks = options.chunks ?? 256;
    this.#maxBytes = options.bytes ?? 16 * 1024 * 1024;
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
    this.#owner.wasRead(this);
    return chunk;
  }

  /** The reader wants no more. Idempotent. */
  stop(): void {
    this.#state = move(FOREIGN_HALF, this.#state, "stop");
    this.#queue.clear();
    this.#bytes = 0;
    this.#owner.remove(this);
    this.onReadable?.();
  }

  /** For the registry: what arrived. */
  arrive(chunk: Uint8Array): void {
    this.#state = move(FOREIGN_HALF, this.#state, "data");
    if (this.#state !== "open") return;
    if (this.policy === "fail" && this.isFull) {
      const message = `stream not read in time: ${this.#queue.length} chunks, ${this.#bytes} bytes waiting`;
      return this.fail(new StreamError(StreamCode.limit, "us", message));
    }
    this.#queue.push(chunk);
    this.#bytes += chunk.length;
    this.onReadable?.();
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

  /** @param pause told to stop reading the transport, and to go on */
  constructor(pause: (paused: boolean) => void) {
    this.#pause = pause;
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
    half.arrive(chunk);
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

  wasRead(half: ForeignHalf<K>): void {
    if (half.isHalfEmpty && this.#full.delete(half) && this.#full.size === 0) this.#pause(false);
  }
}
