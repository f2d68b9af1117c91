import { ErrorCode } from "@sluice/codec";
import { RpcError } from "@sluice/core";

/** What answers on its behalf. */
export interface Answering {
  readonly isOver: boolean;
  succeed(result: unknown): void;
  fail(error: unknown): void;
}

/**
 * The one-shot right to answer a call. It may be kept and used later; one that is dropped without an answer is
 * answered -32603 once it has been collected, so that no caller waits for ever.
 */
export class Responder<R = unknown> {
  readonly method: string;
  readonly #answering: Answering;
  #settled = false;

  constructor(method: string, answering: Answering) {
    this.method = method;
    this.#answering = answering;
    lost.register(this, answering, this);
  }

  /** Whether it has been used, or the call has been answered otherwise. */
  get isSettled(): boolean {
    return this.#settled || this.#answering.isOver;
  }

  /** Answers with a result. @throws Error where it has been used. */
  respond(result: R): void {
    this.#use();
    this.#answering.succeed(result);
  }

  /** Answers with an error: an `RpcError` as it is, anything else as -32603. @throws Error where it has been used. */
  fail(error: unknown): void {
    this.#use();
    this.#answering.fail(error);
  }

  #use(): void {
    if (this.#settled) throw new Error(`${this.method} has been answered: a responder answers once`);
    this.#settled = true;
    lost.unregister(this);
  }
}

const lost = new FinalizationRegistry<Answering>((answering) => {
  if (!answering.isOver) answering.fail(new RpcError(ErrorCode.internal, "the call was not answered"));
});
