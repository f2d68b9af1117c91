// The contract between a session and whatever carries its messages. Callbacks with explicit pressure: a web stream
// costs 0.3 to 1 µs a message on each hop, a callback costs nothing. `adapters.ts` goes to web streams and back.
import type { TransportError } from "./error.ts";

/** Bytes, or the text of one whole text message (only where `unit` is "messages"). */
export type Chunk = Uint8Array | string;

/**
 * Why we close: `done` is an orderly end; with the others the peer is told what went wrong, where the medium can tell.
 * `protocol`: the peer broke a rule. `limit`: it passed a limit. `timeout`: it did not answer in time. `failed`: we did.
 */
export type CloseCause = "done" | "protocol" | "limit" | "timeout" | "failed";

/**
 * Carries chunks both ways, in order, each once.
 *
 * A transport owns whatever it needs to (a process, a socket) and lets go of it before `onClose`.
 * Nothing here throws after `start`; every failure arrives as `onClose(error)`.
 */
export interface Transport {
  /** `bytes`: a run of bytes, where a chunk ends means nothing. `messages`: each chunk is one whole message. */
  readonly unit: "bytes" | "messages";
  /** Names the far end in errors, such as `child 4711 (node worker.ts)`. */
  readonly label: string;
  /**
   * Set where the medium itself settles the encoding. `frames`, as WebSocket subprotocol `sluice.v1` does (H4): a chunk
   * is bytes, and an empty one is nothing. `json`: nothing but text can travel.
   */
  readonly encoding?: "frames" | "json";
  /** True where the far end is a program of the same user, so that an error may quote what it printed. */
  readonly quotes?: boolean;

  /**
   * Memory for a chunk that will be written: used again once that chunk, as a whole, has left. For large messages that
   * have to be copied together, so that a stream does not leave one piece of garbage per message. Default: new memory.
   */
  allocate?(bytes: number): Uint8Array;

  /** Called once, before anything else. Events may come from within it. */
  start(events: TransportEvents): void;

  /**
   * Takes all chunks, in order, in one write where the medium can gather, and owns their memory from then on.
   * Returns false when the transport is full: what was given is accepted, nothing more should be given until
   * `onDrain`. After `close`, `abort` or `onClose` it does nothing and returns false.
   */
  write(chunks: readonly Chunk[]): boolean;

  /** Stop and go on delivering `onData`. A few chunks may still arrive after `pause`. */
  pause(): void;
  resume(): void;

  /**
   * Orderly end: flushes what was accepted, then ends our direction; `onClose` follows once the far end is gone too.
   * The reason and its cause (default `done`) reach the far end where the medium can carry them.
   */
  close(reason?: string, cause?: CloseCause): void;

  /** Ends at once: what is not flushed is lost. `onClose` follows, with `error` if one was given. */
  abort(error?: TransportError): void;
}

/** What a transport tells its user. `onClose` comes last and exactly once; after it nothing comes. */
export interface TransportEvents {
  /** Bytes or one message. The memory is the receiver's to keep. */
  onData(chunk: Chunk): void;
  /** There is room again after `write` returned false. */
  onDrain(): void;
  /** The far end sends no more. We may still send. At most once, after all data. */
  onEnd(): void;
  /** Over. Without an error: an orderly end (either side closed and everything accepted was delivered). */
  onClose(error?: TransportError): void;
}
