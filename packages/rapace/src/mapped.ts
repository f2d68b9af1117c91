/**
 * An iterator whose values are made into others. Letting go of it lets go of the one behind it at once, even while a
 * value is on its way; so does a value that cannot be made.
 */
export class Mapped<A, B> implements AsyncIterableIterator<B, undefined>, AsyncDisposable {
  readonly #inner: AsyncIterator<A, unknown>;
  readonly #change: (value: A) => B;
  #over = false;

  constructor(inner: AsyncIterable<A>, change: (value: A) => B) {
    this.#inner = inner[Symbol.asyncIterator]();
    this.#change = change;
  }

  async next(): Promise<IteratorResult<B, undefined>> {
    if (this.#over) return END;
    const result = await this.#inner.next();
    if (result.done === true) return END;
    try {
      return { done: false, value: this.#change(result.value) };
    } catch (error) {
      await this.return();
      throw error;
    }
  }

  async return(): Promise<IteratorResult<B, undefined>> {
    this.#over = true;
    await this.#inner.return?.();
    return END;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}

const END = { done: true, value: undefined } as const;
