// What has arrived and waits for its reader, in order, up to a bound at which whoever brings more has to wait.

interface Reader<T> {
  resolve(value: T): void;
  reject(error: Error): void;
}

export class Inbox<T extends object> {
  readonly #bound: number;
  #waiting: T[] = [];
  #head = 0;
  readonly #readers: Set<Reader<T>> = new Set();
  #writers: (() => void)[] = [];
  #closed: Error | undefined;

  constructor(bound: number) {
    this.#bound = bound;
  }

  get size(): number {
    return this.#waiting.length - this.#head;
  }

  /** What it returns settles once there is room again; undefined where there is. After `close` nothing is taken. */
  push(value: T): Promise<void> | undefined {
    if (this.#closed !== undefined) return undefined;
    const [reader] = this.#readers;
    if (reader !== undefined) {
      this.#readers.delete(reader);
      reader.resolve(value);
      return undefined;
    }
    this.#waiting.push(value);
    if (this.size < this.#bound) return undefined;
    return new Promise((resolve) => this.#writers.push(resolve));
  }

  /** Rejects once it is closed and all has been read; and with the signal's reason once it aborts, which takes nothing. */
  next(signal?: AbortSignal): Promise<T> {
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    const value = this.take();
    if (value !== undefined) return Promise.resolve(value);
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    return new Promise((resolve, reject) => {
      const letGo = (): void => signal?.removeEventListener("abort", abort);
      const reader: Reader<T> = {
        resolve: (next) => {
          letGo();
          resolve(next);
        },
        reject: (error) => {
          letGo();
          reject(error);
        },
      };
      const abort = (): void => {
        this.#readers.delete(reader);
        reject(signal!.reason as Error);
      };
      this.#readers.add(reader);
      signal?.addEventListener("abort", abort, { once: true });
    });
  }

  /** The next, where one waits. */
  take(): T | undefined {
    if (this.size === 0) return undefined;
    const value = this.#waiting[this.#head];
    this.#head++;
    if (this.#head === this.#waiting.length || this.#head > 512) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
    if (this.size <= this.#bound / 2) this.#makeRoom();
    return value;
  }

  close(reason: Error): void {
    if (this.#closed !== undefined) return;
    this.#closed = reason;
    for (const { reject } of this.#readers) reject(reason);
    this.#readers.clear();
    this.#makeRoom();
  }

  #makeRoom(): void {
    for (const resolve of this.#writers.splice(0)) resolve();
  }
}
