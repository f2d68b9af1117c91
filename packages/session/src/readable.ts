// A stream the peer writes, as a web stream. Iterating it goes straight to the half; everything else a ReadableStream
// can do goes through the platform's own machinery, with a queue of its own of none.
import type { ReceiveHalf } from "@sluice/streams";
import { watch, type LeakOptions } from "./leaks.ts";
import { codeOf, textOf } from "./stream-code.ts";

/**
 * A readable of a session: a `ReadableStream` that is also `AsyncDisposable`. It holds on to nothing but its half;
 * the session holds the half and never the handle, so that a dropped handle can be noticed.
 *
 * Cut short (`break`, `cancel()`, `await using`, the call's signal): the queue is gone at once and the peer is told to
 * stop. Chunks may share memory with other messages: copy one before transferring it.
 */
export class SessionReadable<T = Uint8Array> extends ReadableStream<T> implements AsyncDisposable {
  readonly #half: ReceiveHalf;
  #iterating = false;

  constructor(half: ReceiveHalf, options: LeakOptions) {
    super(source<T>(half), { highWaterMark: 0 });
    this.#half = half;
    watch(this, half, options);
  }

  override get locked(): boolean {
    return this.#iterating || super.locked;
  }

  /** What it carries. */
  get of(): "bytes" | "items" {
    return this.#half.of;
  }

  override cancel(reason?: unknown): Promise<void> {
    if (!this.#iterating) return super.cancel(reason);
    return Promise.reject(new TypeError("the stream is being iterated"));
  }

  override getReader(): ReadableStreamDefaultReader<T>;
  override getReader(options: { mode: "byob" }): ReadableStreamBYOBReader;
  override getReader(options?: ReadableStreamGetReaderOptions): ReadableStreamReader<T>;
  override getReader(options?: ReadableStreamGetReaderOptions): ReadableStreamReader<T> {
    if (this.#iterating) throw new TypeError("the stream is being iterated");
    return super.getReader(options as never);
  }

  override values(options?: ReadableStreamIteratorOptions): ReadableStreamAsyncIterator<T> {
    if (options?.preventCancel === true) return super.values(options);
    if (this.locked) throw new TypeError("the stream is locked");
    this.#iterating = true;
    this.#half.taken = true;
    return new HalfIterator<T>(this.#half, this) as unknown as ReadableStreamAsyncIterator<T>;
  }

  override [Symbol.asyncIterator](options?: ReadableStreamIteratorOptions): ReadableStreamAsyncIterator<T> {
    return this.values(options);
  }

  /** Lets go: the peer is told to stop, unless it has ended. */
  [Symbol.asyncDispose](): Promise<void> {
    stop(this.#half, undefined);
    return Promise.resolve();
  }
}

function stop(half: ReceiveHalf, reason: unknown): void {
  half.taken = true;
  half.stop(codeOf(reason), textOf(reason));
}

// Closes over the half alone.
function source<T>(half: ReceiveHalf): UnderlyingDefaultSource<T> {
  return {
    pull: (controller) => pull(half, controller),
    cancel: (reason) => {
      half.onReadable = undefined; // whoever reads has been told, and the controller is closed
      stop(half, reason);
    },
  };
}

function pull<T>(half: ReceiveHalf, controller: ReadableStreamDefaultController<T>): void | Promise<void> {
  half.taken = true;
  if (give(half, controller)) return undefined;
  return new Promise((resolve) => {
    half.onReadable = (): void => {
      if (!give(half, controller)) return;
      half.onReadable = undefined;
      resolve();
    };
  });
}

// False: nothing to give yet.
function give<T>(half: ReceiveHalf, controller: ReadableStreamDefaultController<T>): boolean {
  const chunk = half.read();
  if (chunk !== undefined) controller.enqueue(chunk as T);
  else if (!half.isOver) return false;
  else if (half.error !== undefined) controller.error(half.error);
  else controller.close();
  return true;
}

/** Straight from the half. Not an async generator: its `return` would wait behind a parked `next`. */
class HalfIterator<T> implements AsyncIterator<T> {
  readonly #half: ReceiveHalf;
  // Keeps the handle while somebody iterates: it is in use.
  readonly #handle: object;
  #failed = false;
  #parked: Promise<unknown> | undefined;

  constructor(half: ReceiveHalf, handle: object) {
    this.#half = half;
    this.#handle = handle;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    // Those that come while one waits get their items after it.
    if (this.#parked !== undefined) return this.#parked.then(this.#again, this.#again);
    return this.#take() ?? this.#park();
  }

  readonly #again = (): Promise<IteratorResult<T, undefined>> => this.next();

  #park(): Promise<IteratorResult<T, undefined>> {
    const parked = new Promise<IteratorResult<T, undefined>>((resolve) => {
      const half = this.#half;
      half.onReadable = (): void => {
        const result = this.#take();
        if (result === undefined) return;
        half.onReadable = undefined;
        this.#parked = undefined;
        resolve(result);
      };
    });
    this.#parked = parked;
    return parked;
  }

  return(): Promise<IteratorResult<T, undefined>> {
    void this.#handle;
    stop(this.#half, undefined);
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #take(): Promise<IteratorResult<T, undefined>> | undefined {
    const half = this.#half;
    const value = half.read();
    if (value !== undefined) return Promise.resolve({ done: false, value: value as T });
    if (!half.isOver) return undefined;
    if (half.error === undefined || this.#failed) return Promise.resolve({ done: true, value: undefined });
    this.#failed = true;
    return Promise.reject(half.error);
  }
}
