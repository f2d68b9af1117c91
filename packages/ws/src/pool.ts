// Memory that is used again for large messages. A byte stream at full speed makes ten thousand of them a second, and as
// garbage they cost Node more than everything else about them: 370 instead of 720 MB/s.

/** A frame with the largest payload (PROTOCOL.md F2), and its header. */
const SIZE = 64 * 1024 + 12;
/** Smaller ones are as cheap to make. */
const SMALLEST = SIZE / 4;
/** What is kept at most: as much as may wait to be sent before `write` says full. */
const KEPT = 24;

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
