import { ErrorCode, type Id } from "@sluice/codec";
import { CancelledError, RpcError } from "@sluice/core";
import type { Outcome } from "./outcome.ts";

/** The request behind a responder. */
export interface Answerable {
  readonly method: string;
  readonly id: Id;
  readonly isOver: boolean;
  /** Why it was cancelled. */
  readonly cancelled: Error | undefined;
  readonly signal: AbortSignal;
  onCancel(listener: (reason: Error) => void): void;
  succeed(result: unknown): void;
  fail(error: unknown): void;
  keep(): void;
}

/**
 * The one-shot right to answer a request, now or later. A request whose handler, and all that it spawned through its
 * `ConnectionTo`, has settled without an answer is answered -32603, so that no caller waits for ever: `keep` a responder
 * that something else will use.
 */
export class Responder<R = unknown> {
  readonly #request: Answerable;
  readonly #change: ((result: R) => unknown) | undefined;
  readonly #listener: ((outcome: Outcome) => void) | undefined;
  #settled = false;

  constructor(request: Answerable, change?: (result: R) => unknown, listener?: (outcome: Outcome) => void) {
    this.#request = request;
    this.#change = change;
    this.#listener = listener;
  }

  get method(): string {
    return this.#request.method;
  }
  get id(): Id {
    return this.#request.id;
  }
  /** Whether it has been used, or the request has been answered otherwise. */
  get isSettled(): boolean {
    return this.#settled || this.#request.isOver;
  }

  /** Answers with a result. @throws Error where it has been used. */
  respond(result: R): void {
    this.#use();
    try {
      const value: unknown = this.#change === undefined ? result : this.#change(result);
      this.#listener?.({ ok: true, value });
      this.#request.succeed(value);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Answers with an error: an `RpcError` as it is, a cancel as -32800, anything else as -32603 without its text. */
  respondWithError(error: unknown): void {
    this.#use();
    this.#fail(error);
  }

  /** Answers with whatever came of something else. */
  respondWithResult(outcome: Outcome<R>): void {
    if (outcome.ok) this.respond(outcome.value);
    else this.respondWithError(outcome.error);
  }

  /** Answers -32603; `reason` is its data, and the peer's to read. */
  respondWithInternalError(reason: string): void {
    this.respondWithError(new RpcError(ErrorCode.internal, "Internal error", reason));
  }

  /** Whoever holds it will use it: it is not lost when the handler settles. */
  keep(): this {
    this.#request.keep();
    return this;
  }

  /** A responder for the same request, of something else that `change` makes into its result. */
  map<S>(change: (result: S) => R): Responder<S> {
    const ours = this.#change;
    return new Responder<S>(
      this.#request,
      ours === undefined ? change : (result): unknown => ours(change(result)),
      this.#listener,
    );
  }

  /** A responder for the same request that tells `listener` what it is used for. */
  tap(listener: (outcome: Outcome) => void): Responder<R> {
    return new Responder<R>(this.#request, this.#change, (outcome) => {
      listener(outcome);
      this.#listener?.(outcome);
    });
  }

  /** Whether the peer has cancelled the request, its deadline has passed, or the connection is over. */
  get isCancelled(): boolean {
    return this.#request.cancelled !== undefined;
  }

  /** Aborts when `isCancelled` becomes true. Made when first looked at. */
  get signal(): AbortSignal {
    return this.#request.signal;
  }

  /** Calls `listener` when the request is cancelled; at once, if it has been. */
  onCancel(listener: (reason: Error) => void): void {
    const { cancelled } = this.#request;
    if (cancelled === undefined) this.#request.onCancel(listener);
    else listener(cancelled);
  }

  /** What `work` gives, unless the request is cancelled first: then it rejects, and thrown on it is answered -32800. */
  async runUntilCancelled<T>(work: (signal: AbortSignal) => PromiseLike<T>): Promise<T> {
    const cancelled = new Promise<never>((_resolve, reject) =>
      this.onCancel(() => reject(new CancelledError())),
    );
    return Promise.race([work(this.signal), cancelled]);
  }

  #fail(error: unknown): void {
    const reason = error instanceof Error ? error : new Error(String(error), { cause: error });
    this.#listener?.({ ok: false, error: reason });
    this.#request.fail(reason);
  }

  #use(): void {
    if (this.#settled) throw new Error(`${this.method} has been answered: a responder answers once`);
    this.#settled = true;
  }
}
