// Memory that is used again for large messages. A byte stream at full speed makes ten thousand of them a second, and as
// garbage they cost Node more than everything else about them: 370 instead of 720 MB/s.

/** The data that a session sends in one message, and its head. */
const SIZE = 22 * 1024;
/** Smaller ones are as cheap to make. */
const SMALLEST = 16 * 1024;
/** What is kept at most: as much as may wait to be sent before `write` says full (`limits.highWater`), and a write of it. */
const KEPT = 64;

export class Pool {
  readonly #free: ArrayBufferLike[] = [];
  // By message and not by memory: a message that left long ago says nothing about who has its memory now.
  readonly #lent: WeakSet<Uint8Array> = new WeakSet();

  /** Memory of so many bytes; what stood in it before may still stand there. */
  take(bytes: number): Uint8Array {
    if (bytes > SIZE || bytes < SMALLEST) return new Uint8Array(bytes);
    const message = new Uint8Array(this.#free.pop() ?? new ArrayBuffer(SIZE), 0, bytes);
    this.#lent.add(message);
    return message;
  }

  /** A message that has left; may be told more than once. Only what was lent is kept. */
  give(message: Uint8Array | string): void {
    if (typeof message === "string" || !this.#lent.delete(message)) return;
    if (this.#free.length < KEPT) this.#free.push(message.buffer);
  }
}
