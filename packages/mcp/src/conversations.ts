// The session there is, and the one that takes its place when the server has forgotten it. However many messages fail
// with the old one, it is opened again once: whoever comes with one that has been replaced gets the new one.
import type { Conversation } from "./endpoint.ts";

export class Conversations {
  #current: Conversation;
  #opening: Promise<Conversation> | undefined;

  constructor(first: Conversation) {
    this.#current = first;
  }

  get current(): Conversation {
    return this.#current;
  }

  set(conversation: Conversation): void {
    this.#current = conversation;
  }

  /** What takes the place of `expired`. Rejects as `open` does; the next to come tries again then. */
  recover(expired: Conversation, open: () => Promise<Conversation>): Promise<Conversation> {
    if (this.#current.id !== expired.id) return Promise.resolve(this.#current);
    this.#opening ??= this.#open(open);
    return this.#opening;
  }

  async #open(open: () => Promise<Conversation>): Promise<Conversation> {
    try {
      this.#current = await open();
      return this.#current;
    } finally {
      this.#opening = undefined;
    }
  }
}
