// Calls both ways, and the order in which they take effect.
import type { AnswerMessage, Id, InvalidMessage, NotificationMessage, RequestMessage } from "@sluice/codec";
import { Arrivals, type Answer, type ArrivalsHost } from "./arrivals.ts";
import type { BatchAnswer } from "./batch.ts";
import { Callee } from "./callee.ts";
import { Caller } from "./caller.ts";
import type { Core } from "./core.ts";
import type { CallOptions } from "./options.ts";
import type { SessionError } from "./error.ts";
import type { IncomingCall, LaneOf } from "./incoming.ts";
import type { OutgoingCall, Waiter } from "./outgoing.ts";
import { Values } from "./values.ts";

export class Calls {
  readonly #caller: Caller;
  readonly #callee: Callee;
  readonly #arrivals: Arrivals;

  constructor(core: Core, laneOf: LaneOf | undefined) {
    const values = new Values(core);
    this.#caller = new Caller(core, values);
    this.#callee = new Callee(core, values, laneOf);
    const host: ArrivalsHost = {
      settle: (answer) => this.#caller.settle(answer),
      start: (incoming) => this.#callee.start(incoming),
      turn: () => core.host.turn(),
      pause: (paused) => core.host.pause(paused),
    };
    this.#arrivals = new Arrivals(host, core.limits);
  }

  /** Our calls without an answer. */
  get pending(): number {
    return this.#caller.pending;
  }
  /** The peer's calls and notifications that run, and that wait. */
  get running(): number {
    return this.#callee.running;
  }
  get waiting(): number {
    return this.#callee.waiting + this.#arrivals.held;
  }
  /** Whether small messages are to be expected, for which stream data should leave room. */
  get active(): number {
    return this.pending + this.running;
  }
  get highestPeers(): number {
    return this.#callee.highest;
  }

  /** Ours without an answer, the oldest first. */
  ours(): readonly OutgoingCall[] {
    return this.#caller.waiting();
  }
  /** The peer's that have not been answered, the latest first. */
  theirs(): readonly IncomingCall[] {
    return this.#callee.unanswered();
  }

  reserve(method: string): OutgoingCall {
    return this.#caller.reserve(method);
  }
  expect(call: OutgoingCall): void {
    this.#caller.expect(call);
  }
  sawId(id: Id): void {
    this.#callee.sawId(id);
  }
  isFree(id: Id): boolean {
    return this.#callee.isFree(id);
  }

  call(method: string, params: unknown, waiter: Waiter, options?: CallOptions): OutgoingCall | undefined {
    return this.#caller.call(method, params, waiter, options);
  }
  giveUp(call: OutgoingCall, error: Error): void {
    this.#caller.giveUp(call, error);
  }
  /** Asks the peer to abandon a call, once; its waiter goes on waiting for the answer (C3). */
  askToCancel(call: OutgoingCall): void {
    this.#caller.askToCancel(call);
  }
  notify(method: string, params: unknown, extras: Readonly<Record<string, unknown>> | undefined): void {
    this.#caller.notify(method, params, extras);
  }

  request(message: RequestMessage, text: string, batch?: BatchAnswer): void {
    const call = this.#callee.request(message, text, batch);
    if (call !== undefined) this.#arrivals.push(call);
  }
  notification(message: NotificationMessage, size: number, batch?: BatchAnswer): void {
    this.#arrivals.push(this.#callee.notification(message, size, batch));
  }
  answer(message: AnswerMessage, text: string): void {
    this.#arrive(this.#caller.answered(message, text));
  }
  malformedAnswer(message: InvalidMessage): void {
    this.#arrive(this.#caller.malformed(message));
  }
  cancel(id: Id): void {
    this.#callee.cancel(id);
  }
  /** An answer to something that is no call. */
  reply(text: string, batch?: BatchAnswer): void {
    this.#callee.send(undefined, text, batch);
  }

  peerDrains(accepted: number): void {
    this.#caller.peerDrains(accepted);
  }
  turn(): void {
    this.#arrivals.turn();
  }

  /** L2: nothing more comes; what runs may still answer. */
  inputEnded(cause: SessionError): void {
    this.#caller.lose(cause)();
  }

  /** The session is over. Returns what tells those who wait and run. */
  lose(cause: SessionError): () => void {
    const answers = this.#arrivals.clear();
    const tellCallers = this.#caller.lose(cause);
    const tellHandlers = this.#callee.lose(cause);
    return () => {
      for (const answer of answers) this.#caller.settle(answer);
      tellCallers();
      tellHandlers();
    };
  }

  #arrive(answer: Answer | undefined): void {
    if (answer !== undefined) this.#arrivals.push(answer);
  }
}
