import type { Reader } from "./reader.ts";
import { nextChunk } from "./chunks.ts";

/**
 * The items that answer a streaming call, as their bytes. Iterate it once. Left early (`break`, `return`, `await using`)
 * the peer is told to stop; a published peer does not listen, and what it still sends is dropped. Rejects with
 * `RapaceError` (the peer's), `StreamError` or `CancelledError`, after the items that had come.
 */
export class ItemStream implements AsyncIterableIterator<Uint8Array>, AsyncDisposable {
  readonly #reader: Reader;
  readonly #onOver: () => Error | undefined;
  #parked: Promise<unknown> | undefined;
  #failed = false;

  /** @param onOver told when it is over; says why it was stopped here, where that is an error */
  constructor(reader: Reader, onOver: () => Error | undefined = (): undefined => undefined) {
    this.#reader = reader;
    this.#onOver = onOver;
  }

  get channel(): number {
    return this.#reader.channel;
  }

  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    // Those that come while one waits get their items after it.
    if (this.#parked !== undefined) return this.#parked.then(this.#again, this.#again);
    const chunk = this.#reader.read();
    if (chunk !== undefined) return Promise.resolve({ done: false, value: chunk });
    const next = this.#next();
    this.#parked = next;
    const unpark = (): void => {
      if (this.#parked === next) this.#parked = undefined;
    };
    next.then(unpark, unpark);
    return next;
  }

  return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#failed = true;
    this.#reader.stop();
    this.#onOver();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  readonly #again = (): Promise<IteratorResult<Uint8Array, undefined>> => this.next();

  async #next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#failed) return { done: true, value: undefined };
    try {
      const value = await nextChunk(this.#reader);
      if (value !== undefined) return { done: false, value };
    } catch (error) {
      this.#failed = true;
      this.#onOver();
      throw error;
    }
    const stopped = this.#onOver();
    if (stopped === undefined) return { done: true, value: undefined };
    this.#failed = true;
    throw stopped;
  }
}
