// A request of ours on its way to its answer: sent, answered (its answer waits for its turn), delivered to who asked.
import type { OutgoingCall } from "@sluice/core";
import type { DoorWaiter } from "../driver.ts";
import type { Item } from "./item.ts";
import type { Outcome } from "./outcome.ts";
import type { Role } from "./role.ts";
import type { Routable } from "./response-router.ts";

/** Who is told what came of a request. What an `ordered` one returns holds up the next message (O3). */
export interface Consumer {
  readonly ordered: boolean;
  /** `item`: the answer, while it holds the connection; undefined where it no longer does, or never did. */
  take(outcome: Outcome, item: Item | undefined): void | Promise<void>;
}

export interface Requester {
  answered(request: PendingRequest, outcome: Outcome): void;
  /** What came of it has been dealt with, and not in its answer's turn. */
  settled(request: PendingRequest): void;
}

export class PendingRequest implements DoorWaiter, Routable {
  readonly method: string;
  readonly peer: Role;
  /** The item whose handler sent it. */
  readonly origin: Item | undefined;
  call: OutgoingCall | undefined;
  readonly #requester: Requester;
  #state: "sent" | "answered" | "delivered" = "sent";
  #consumer: Consumer | undefined;
  #outcome: Outcome | undefined;
  #unwatch: (() => void) | undefined;
  // What an ordered consumer still does with the answer.
  #taking: Promise<void> | undefined;
  // The answer's item, while it holds the connection.
  #item: Item | undefined;

  constructor(requester: Requester, method: string, peer: Role, origin: Item | undefined) {
    this.#requester = requester;
    this.method = method;
    this.peer = peer;
    this.origin = origin;
  }

  get id(): number | undefined {
    return this.call?.id;
  }
  get state(): "sent" | "answered" | "delivered" {
    return this.#state;
  }
  /** Whether somebody awaits it by a promise, whose continuation runs in the turn after. */
  get isAwaited(): boolean {
    return this.#consumer?.ordered === false;
  }

  get isOrdered(): boolean {
    return this.#consumer?.ordered === true;
  }

  // What the core tells.

  result(value: unknown): void {
    this.#came({ ok: true, value });
  }
  error(error: Error): void {
    this.#came({ ok: false, error });
  }

  #came(outcome: Outcome): void {
    if (this.#state !== "sent") return;
    this.#state = "answered";
    this.#unwatch?.();
    this.#unwatch = undefined;
    this.#requester.answered(this, outcome);
  }

  /** Its answer's turn has come, and lasts until `leave`: what is delivered meanwhile is delivered by `item`. */
  enter(item: Item): void {
    this.#item = item;
  }
  leave(): void {
    this.#item = undefined;
  }

  /** What an ordered consumer still does with the answer. */
  taken(): Promise<void> | undefined {
    return this.#taking;
  }

  /** The first delivery counts. */
  deliver(outcome: Outcome): void {
    if (this.#state === "delivered") return;
    this.#state = "delivered";
    const consumer = this.#consumer;
    if (consumer === undefined) this.#outcome = outcome;
    else this.#taking = consumer.take(outcome, this.#item) ?? undefined;
    if (this.#item === undefined) this.#requester.settled(this);
  }

  /** Calls `then` when `signal` aborts before an answer has come; now, if it has aborted. */
  watch(signal: AbortSignal, then: () => void): void {
    if (this.#state !== "sent") return;
    if (signal.aborted) return then();
    const before = this.#unwatch;
    signal.addEventListener("abort", then, { once: true });
    this.#unwatch = (): void => {
      before?.();
      signal.removeEventListener("abort", then);
    };
  }

  /** @throws Error where somebody has been chosen already. */
  consume(consumer: Consumer): void {
    if (this.#consumer !== undefined)
      throw new Error(`what comes of ${this.method} goes to one place: it has been given one already`);
    this.#consumer = consumer;
    const outcome = this.#outcome;
    if (outcome === undefined) return;
    this.#outcome = undefined;
    void Promise.resolve().then(() => consumer.take(outcome, undefined));
  }

  get isConsumed(): boolean {
    return this.#consumer !== undefined;
  }
}
