// The order in which a peer's messages take effect. A caller's continuation after an answer runs before whatever came
// after that answer: so once an answer has been handed over, a call or notification that follows waits for the next
// macrotask, and everything after it waits in line. Answers that follow answers, the common case, wait for nothing.
import { Deque } from "@sluice/streams";
import type { Incoming } from "./incoming.ts";
import type { AnswerMessage, DecodeError } from "@sluice/codec";
import type { OutgoingCall } from "./outgoing.ts";
import type { FilledSlot } from "./mentions.ts";

/** An answer on its way to its caller. */
export interface Answer {
  readonly kind: "answer";
  readonly call: OutgoingCall;
  readonly message: AnswerMessage | DecodeError;
  readonly slots: readonly FilledSlot[] | Error;
}

export interface ArrivalsHost {
  settle(answer: Answer): void;
  start(incoming: Incoming): void;
  /** Ask for `turn` in the next macrotask. */
  turn(): void;
}

export class Arrivals {
  readonly #host: ArrivalsHost;
  readonly #held: Deque<Answer | Incoming> = new Deque();
  #answered = false;
  #asked = false;

  constructor(host: ArrivalsHost) {
    this.#host = host;
  }

  get held(): number {
    return this.#held.length;
  }

  push(arrival: Answer | Incoming): void {
    if (this.#held.length > 0) this.#held.push(arrival);
    else this.#deliver(arrival);
  }

  /** A macrotask has passed: every continuation has run. */
  turn(): void {
    this.#asked = false;
    this.#answered = false;
    for (let n = this.#held.length; n > 0; n--) {
      const arrival = this.#held.peek();
      if (arrival === undefined) return; // what was delivered has ended the session
      if (this.#answered && arrival.kind !== "answer") return this.#ask();
      this.#held.shift();
      this.#deliver(arrival);
    }
    if (this.#held.length > 0) this.#ask();
  }

  /** Takes everything out and returns the answers: they have come, whatever becomes of the session. */
  clear(): Answer[] {
    const answers: Answer[] = [];
    for (let arrival = this.#held.shift(); arrival !== undefined; arrival = this.#held.shift())
      if (arrival.kind === "answer") answers.push(arrival);
    return answers;
  }

  #deliver(arrival: Answer | Incoming): void {
    if (arrival.kind === "answer") {
      this.#answered = true;
      this.#host.settle(arrival);
    } else if (this.#answered) {
      this.#held.push(arrival);
      this.#ask();
    } else this.#host.start(arrival);
  }

  #ask(): void {
    if (this.#asked) return;
    this.#asked = true;
    this.#host.turn();
  }
}
