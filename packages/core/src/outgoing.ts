// Our calls that wait for an answer.
import { move, type Half, type Table } from "@sluice/streams";
import type { Deadline } from "./deadlines.ts";
import { PendingCalls } from "./pending-calls.ts";

export type OutgoingState = "waiting" | "answered" | "given up" | "lost";
type OutgoingEvent = "answer" | "give up" | "lose";

/** `given up` (cancelled, or out of time) still expects its answer, which is then nobody's (C2). */
export const OUTGOING_CALL: Table<OutgoingState, OutgoingEvent> = {
  waiting: { answer: "answered", "give up": "given up", lose: "lost" },
  "given up": { answer: "answered", lose: "lost" },
  answered: {},
  lost: {},
};

/** Who waits: exactly one of these is called, once. */
export interface Waiter {
  result(value: unknown): void;
  error(error: Error): void;
}

export class OutgoingCall {
  readonly id: number;
  readonly method: string;
  readonly waiter: Waiter;
  /** The streams its params mentioned (S10). */
  readonly streams: readonly Half[];
  deadline: Deadline | undefined;
  /** ms, as the caller gave it. */
  timeout: number | undefined;
  /** Whether the peer has been asked to abandon it: once at most (C3). */
  cancel: "unsent" | "sent" = "unsent";
  #state: OutgoingState = "waiting";

  constructor(id: number, method: string, waiter: Waiter, streams: readonly Half[]) {
    this.id = id;
    this.method = method;
    this.waiter = waiter;
    this.streams = streams;
  }

  get state(): OutgoingState {
    return this.#state;
  }

  move(event: OutgoingEvent): void {
    this.#state = move(OUTGOING_CALL, this.#state, event);
  }
}

/** How many answers to calls we gave up are remembered as expected; foreign peers may never send theirs. */
const EXPECTED = 16_384;

export class OutgoingCalls {
  readonly #waiting: PendingCalls = new PendingCalls();
  readonly #givenUp: Map<number, OutgoingCall> = new Map();
  #next = 1;

  get size(): number {
    return this.#waiting.size;
  }

  /** C1. */
  nextId(): number {
    return this.#next++;
  }

  add(call: OutgoingCall): void {
    this.#waiting.add(call);
  }

  /** Takes out the call an answer is for; undefined where no call of ours has this id, or it had its answer (C2). */
  answered(id: unknown): OutgoingCall | undefined {
    if (typeof id !== "number") return undefined;
    const waiting = this.#waiting.take(id);
    if (waiting !== undefined) return waiting;
    const givenUp = this.#givenUp.get(id);
    this.#givenUp.delete(id);
    return givenUp;
  }

  giveUp(call: OutgoingCall): void {
    this.#waiting.take(call.id);
    this.#givenUp.set(call.id, call);
    if (this.#givenUp.size > EXPECTED) this.#givenUp.delete(this.#givenUp.keys().next().value!);
  }

  /** Those that wait, the oldest first. */
  waiting(): readonly OutgoingCall[] {
    return this.#waiting.all();
  }

  /** Takes all out that wait, the latest first. */
  clear(): OutgoingCall[] {
    const calls = this.#waiting.all().reverse();
    this.#waiting.clear();
    this.#givenUp.clear();
    return calls;
  }
}
