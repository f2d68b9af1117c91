// Our calls that wait for an answer, by channel.
import { CancelledError, RefusedError, SessionError, TimeoutError, type Deadline } from "@sluice/core";
import { move, type Table } from "@sluice/streams";
import type { CancelReason } from "./control.ts";
import { ErrorCode, RapaceError, readError } from "./error.ts";
import { FLAG, type Frame } from "./frame.ts";

export type CallState = "waiting" | "answered" | "given up" | "lost";
type CallEvent = "answer" | "give up" | "lose";

/** R8: a channel is not used again, so what comes for a call that was given up is nobody's. */
export const CALL: Table<CallState, CallEvent> = {
  waiting: { answer: "answered", "give up": "given up", lose: "lost" },
  answered: {},
  "given up": {},
  lost: {},
};

/** Who waits: exactly one of these is called, once. */
export interface Waiter {
  result(payload: Uint8Array): void;
  error(error: Error): void;
}

export class PendingCall {
  readonly channel: number;
  readonly waiter: Waiter;
  deadline: Deadline | undefined;
  #state: CallState = "waiting";

  constructor(channel: number, waiter: Waiter) {
    this.channel = channel;
    this.waiter = waiter;
  }

  get state(): CallState {
    return this.#state;
  }
  move(event: CallEvent): void {
    this.#state = move(CALL, this.#state, event);
  }
}

/** What calls need of their session. */
export interface CallsHost {
  /** The call is over: its channel, its deadline and the body that it sends are. */
  over(call: PendingCall): void;
  cancel(channel: number, why: CancelReason): void;
}

export class Calls {
  readonly #host: CallsHost;
  readonly #pending: Map<number, PendingCall> = new Map();

  constructor(host: CallsHost) {
    this.#host = host;
  }

  get size(): number {
    return this.#pending.size;
  }
  has(channel: number): boolean {
    return this.#pending.has(channel);
  }

  add(channel: number, waiter: Waiter): PendingCall {
    const call = new PendingCall(channel, waiter);
    this.#pending.set(channel, call);
    return call;
  }

  /**
   * R8: an answer is DATA or ERROR, of method 0. What is neither completes no call; but a peer that ends the channel
   * without an answer leaves nothing to wait for. False: not an answer, or nobody waits.
   */
  answered({ channel, flags, payload }: Frame): boolean {
    const call = this.#pending.get(channel);
    if (call === undefined || (flags & ANSWERS) === 0) return false;
    this.#take(call, "answer");
    if ((flags & FLAG.error) !== 0) call.waiter.error(readError(payload));
    else if ((flags & FLAG.data) !== 0) call.waiter.result(payload);
    else
      call.waiter.error(new RapaceError(ErrorCode.internal, "the peer ended the channel without an answer"));
    return true;
  }

  /** The waiter hears `error` now, the peer is told once. Does nothing once it is over. */
  giveUp(call: PendingCall, error: Error): void {
    if (call.state !== "waiting") return;
    this.#host.cancel(call.channel, error instanceof TimeoutError ? "deadline" : "client");
    this.#take(call, "give up");
    call.waiter.error(error);
  }

  /** R9: the peer will not answer. */
  cancelled(channel: number): boolean {
    const call = this.#pending.get(channel);
    if (call === undefined) return false;
    this.#take(call, "answer");
    call.waiter.error(new RapaceError(ErrorCode.cancelled, "the peer cancelled the call"));
    return true;
  }

  /** The session is over. Returns what tells those who wait, the latest first. */
  lose(reason: SessionError): () => void {
    const calls = [...this.#pending.values()].reverse();
    for (const call of calls) this.#take(call, "lose");
    return () => {
      for (const call of calls) call.waiter.error(reason);
    };
  }

  #take(call: PendingCall, event: CallEvent): void {
    this.#pending.delete(call.channel);
    call.move(event);
    this.#host.over(call);
  }
}

const ANSWERS = FLAG.data | FLAG.error | FLAG.eos;

/** The error of a call whose signal has aborted. */
export function cancelled(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return reason instanceof CancelledError
    ? reason
    : new CancelledError("the call was cancelled", { cause: reason });
}

export function refused(rule: string, message: string): RefusedError {
  return new RefusedError(rule, message);
}
