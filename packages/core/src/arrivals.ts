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
  /** As much is held as may be, and there is room again: nothing more should come until then. */
  pause(paused: boolean): void;
}

export interface ArrivalLimits {
  readonly held: number;
  readonly heldBytes: number;
}

export class Arrivals {
  readonly #host: ArrivalsHost;
  readonly #limits: ArrivalLimits;
  readonly #held: Deque<Answer | Incoming> = new Deque();
  #heldBytes = 0;
  #answered = false;
  #asked = false;
  #room: "free" | "full" = "free";

  constructor(host: ArrivalsHost, limits: ArrivalLimits) {
    this.#host = host;
    this.#limits = limits;
  }

  get held(): number {
    return this.#held.length;
  }

  push(arrival: Answer | Incoming): void {
    if (this.#held.length > 0) this.#hold(arrival);
    else this.#deliver(arrival);
  }

  /** A macrotask has passed: every continuation has run. */
  turn(): void {
    this.#asked = false;
    this.#answered = false;
    for (let n = this.#held.length; n > 0; n--) {
      const arrival = this.#held.peek();
      if (arrival === undefined) return; // what was delivered has ended the session
      if (this.#answered && arrival.kind !== "answer") break;
      this.#held.shift();
      this.#heldBytes -= sizeOf(arrival);
      this.#deliver(arrival);
    }
    if (this.#held.length > 0) this.#ask();
    this.#makeRoom();
  }

  /** Takes everything out and returns the answers: they have come, whatever becomes of the session. */
  clear(): Answer[] {
    const answers: Answer[] = [];
    for (let arrival = this.#held.shift(); arrival !== undefined; arrival = this.#held.shift())
      if (arrival.kind === "answer") answers.push(arrival);
    this.#heldBytes = 0;
    return answers;
  }

  #deliver(arrival: Answer | Incoming): void {
    if (arrival.kind === "answer") {
      this.#answered = true;
      this.#host.settle(arrival);
    } else if (this.#answered) {
      this.#hold(arrival);
      this.#ask();
    } else this.#host.start(arrival);
  }

  // It takes only time until there is room again, and nobody's doing: to pause meanwhile cannot lock two peers.
  #hold(arrival: Answer | Incoming): void {
    this.#held.push(arrival);
    this.#heldBytes += sizeOf(arrival);
    const { held, heldBytes } = this.#limits;
    if (this.#room === "full" || (this.#held.length < held && this.#heldBytes < heldBytes)) return;
    this.#room = "full";
    this.#host.pause(true);
  }

  #makeRoom(): void {
    const { held, heldBytes } = this.#limits;
    if (this.#room === "free" || this.#held.length > held / 2 || this.#heldBytes > heldBytes / 2) return;
    this.#room = "free";
    this.#host.pause(false);
  }

  #ask(): void {
    if (this.#asked) return;
    this.#asked = true;
    this.#host.turn();
  }
}

function sizeOf(arrival: Answer | Incoming): number {
  return arrival.kind === "answer" ? 0 : arrival.size;
}
