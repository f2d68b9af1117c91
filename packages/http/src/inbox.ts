// Puts what comes in on several responses into one row. Messages of a Sluice server are numbered throughout the session:
// one that comes too early waits, and with it the response it came on, until those before it have been delivered.
// Others are taken as they come, and so is everything once a message was lost that nobody can ask for again.
import type { Delivery } from "./delivery.ts";

export class Inbox {
  readonly #delivery: Delivery;
  readonly #patience: number;
  readonly #onMissing: () => void;
  #mode: "ordered" | "as it comes" = "ordered";
  #next = 1;
  /** Who waits for its turn, by number. */
  readonly #early = new Map<number, () => void>();
  /** Settles when what was taken is delivered. */
  #delivered: Promise<void> = Promise.resolve();

  /** `onMissing`: a message has waited so many ms for those before it. */
  constructor(delivery: Delivery, patience: number, onMissing: () => void) {
    this.#delivery = delivery;
    this.#patience = patience;
    this.#onMissing = onMissing;
  }

  /**
   * Runs `act` when it is its turn and the user wants data, and resolves then. A number that has had its turn is not run
   * again. Without a number it is the next one's turn.
   */
  async take(seq: number | undefined, act: () => void): Promise<void> {
    if (seq !== undefined && this.#mode === "ordered") {
      if (seq < this.#next || this.#early.has(seq)) return;
      if (seq > this.#next) await this.#turn(seq);
      if (seq < this.#next) return;
      this.#next = seq + 1;
    }
    const delivered = this.#delivered.then(() => this.#delivery.ready()).then(act);
    this.#delivered = delivered;
    this.#early.get(this.#next)?.();
    this.#early.delete(this.#next);
    await delivered;
  }

  async #turn(seq: number): Promise<void> {
    const late = setTimeout(this.#onMissing, this.#patience);
    await new Promise<void>((resolve) => this.#early.set(seq, resolve));
    clearTimeout(late);
  }

  /** A message was lost: none waits for it. */
  disorder(): void {
    this.#mode = "as it comes";
    const early = [...this.#early].sort(([a], [b]) => a - b);
    this.#early.clear();
    for (const [, resume] of early) resume();
  }
}
