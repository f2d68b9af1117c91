// What has arrived and waits for its reader, in order, up to a bound at which whoever brings more has to wait.

export class Inbox<T extends object> {
  readonly #bound: number;
  #waiting: T[] = [];
  #head = 0;
  #readers: { resolve(value: T): void; reject(error: Error): void }[] = [];
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
    const reader = this.#readers.shift();
    if (reader !== undefined) {
      reader.resolve(value);
      return undefined;
    }
    this.#waiting.push(value);
    if (this.size < this.#bound) return undefined;
    return new Promise((resolve) => this.#writers.push(resolve));
  }

  /** Rejects once it is closed and all has been read. */
  next(): Promise<T> {
    const value = this.take();
    if (value !== undefined) return Promise.resolve(value);
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
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
    for (const { reject } of this.#readers.splice(0)) reject(reason);
    this.#makeRoom();
  }

  #makeRoom(): void {
    for (const resolve of this.#writers.splice(0)) resolve();
  }
}
