import { CancelledError } from "@sluice/core";
import type { Responder } from "./responder.ts";

/** A call that has been sent, before anybody has said how to wait for it. */
export class SentRequest<R = unknown> {
  readonly method: string;
  readonly #result: Promise<R>;
  readonly #cancel: (reason: Error) => void;

  constructor(method: string, result: Promise<R>, cancel: (reason: Error) => void) {
    this.method = method;
    this.#result = result;
    this.#cancel = cancel;
    result.catch(() => {}); // whoever waits is told; a call nobody waits for is not an unhandled rejection
  }

  /** The result. Rejects as `Session.call` does. */
  result(): Promise<R> {
    return this.#result;
  }

  /** Answers `responder` with whatever comes of this call, once it comes. */
  forwardTo(responder: Responder<R>): void {
    this.#result.then(
      (result) => responder.respond(result),
      (error: unknown) => responder.fail(error),
    );
  }

  /** The same call, its result made into something else. */
  map<T>(change: (result: R) => T | PromiseLike<T>): SentRequest<T> {
    return new SentRequest<T>(this.method, this.#result.then(change), this.#cancel);
  }

  /** Gives the call up: `result` rejects now, the peer is told once. Nothing once it is answered. */
  cancel(reason: string = "the call was cancelled"): void {
    this.#cancel(new CancelledError(reason));
  }
}
