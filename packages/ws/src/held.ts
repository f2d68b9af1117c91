import type { Chunk } from "@sluice/transport";

/** Messages that have come and that nobody wants yet, the oldest first. */
export class Held {
  #messages: Chunk[] = [];
  #at = 0;
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#messages.length === 0;
  }
  get bytes(): number {
    return this.#bytes;
  }

  push(message: Chunk): void {
    this.#messages.push(message);
    this.#bytes += message.length;
  }

  /** Takes out the oldest, which must be there. */
  take(): Chunk {
    const message = this.#messages[this.#at++]!;
    this.#bytes -= message.length;
    if (this.#at === this.#messages.length) this.clear();
    return message;
  }

  clear(): void {
    this.#messages = [];
    this.#at = 0;
    this.#bytes = 0;
  }
}
