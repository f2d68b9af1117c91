// A stream the peer reads, as a web stream. Its write promises are the pressure: they wait while too much is unsent.
import { StreamCode, type SendHalf } from "@sluice/streams";
import { encodeChunk } from "./chunks.ts";
import { watch, type LeakOptions } from "./leaks.ts";
import { codeOf, textOf } from "./stream-code.ts";

/**
 * A writable of a session: a `WritableStream` that is also `AsyncDisposable`. `close()` ends the stream and waits until
 * the end is on its way; `abort(reason)`, or disposing of it unclosed, gives it up and the peer's reader fails. Chunks
 * belong to the session once written.
 */
export class SessionWritable<T = Uint8Array> extends WritableStream<T> implements AsyncDisposable {
  readonly #half: SendHalf;

  constructor(half: SendHalf, options: LeakOptions) {
    super(sink<T>(half));
    this.#half = half;
    watch(this, half, options);
  }

  /** What it carries. */
  get of(): "bytes" | "items" {
    return this.#half.of;
  }

  /** Gives it up, unless it has been closed. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#half.taken = true;
    if (this.#half.state === "open") this.#half.reset(StreamCode.cancelled, "let go before its end");
    return Promise.resolve();
  }
}

// Closes over the half; the half must not reach the stream, so its way to the controller is weak.
function sink<T>(half: SendHalf): UnderlyingSink<T> {
  return {
    start(controller): void {
      const weak = new WeakRef(controller);
      half.onOver = (error): void => {
        if (error !== undefined) weak.deref()?.error(error);
      };
    },
    write: (chunk) => write(half, chunk),
    close: () => close(half),
    abort(reason): void {
      half.taken = true;
      half.reset(codeOf(reason), textOf(reason));
    },
  };
}

function write(half: SendHalf, chunk: unknown): void | Promise<void> {
  half.taken = true;
  if (half.error !== undefined) throw half.error;
  try {
    if (half.write(encodeChunk(half.of, chunk))) return undefined;
  } catch (error) {
    half.reset(codeOf(error), "failed");
    throw error;
  }
  return room(half);
}

/** Settles once there is room to write, or the half is over. */
export function room(half: SendHalf): Promise<void> {
  if (half.hasRoom || half.isOver) return Promise.resolve();
  return new Promise((resolve) => {
    half.onRoom = (): void => {
      half.onRoom = undefined;
      resolve();
    };
  });
}

function close(half: SendHalf): void | Promise<void> {
  half.taken = true;
  return new Promise((resolve, reject) => {
    const { onOver } = half;
    half.onOver = (error): void => {
      if (error === undefined) resolve();
      else reject(error);
      onOver?.(error);
    };
    half.end();
    if (half.isOver && half.error !== undefined) reject(half.error);
    else if (half.isOver) resolve();
  });
}
