// Whose turn it is to send. Round-robin by bytes: a turn is a number of bytes and not of frames, so that a stream of
// small items gets as much as one of large chunks.
import { Deque } from "./deque.ts";
import type { SendHalf } from "./send-half.ts";

/** `H`: what takes turns. */
export class Scheduler<H extends { readonly canSend: boolean } = SendHalf> {
  readonly #ring: Deque<H> = new Deque();
  readonly #waiting: Set<H> = new Set();

  /** Whether somebody may have something to send. */
  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  /** The half can send. Doing it again changes nothing. */
  ready(half: H): void {
    if (this.#waiting.has(half)) return;
    this.#waiting.add(half);
    this.#ring.push(half);
  }

  /** Removes and returns the next half that can send; give it back by `ready` while it still can. */
  next(): H | undefined {
    for (let half = this.#ring.shift(); half !== undefined; half = this.#ring.shift()) {
      this.#waiting.delete(half);
      if (half.canSend) return half;
    }
    return undefined;
  }

  clear(): void {
    this.#ring.clear();
    this.#waiting.clear();
  }
}
