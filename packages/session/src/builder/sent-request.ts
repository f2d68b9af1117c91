import type { ConnectionTo } from "./connection-to.ts";
import type { Connection } from "./connection.ts";
import { runAside } from "./dispatching.ts";
import { letGo, type Item } from "./item.ts";
import type { Outcome } from "./outcome.ts";
import type { Consumer, PendingRequest } from "./pending-request.ts";
import type { Responder } from "./responder.ts";

type Read<R> = (value: unknown) => R | PromiseLike<R>;

/**
 * A request that has been sent, before anybody has said what becomes of its answer. Say it once: `result`,
 * `onReceivingResult`, `onReceivingOkResult`, `forwardTo` or `detach`. Disposed of before, it is cancelled and its answer is
 * nobody's.
 */
export class SentRequest<R = unknown, Cx extends ConnectionTo = ConnectionTo> implements Disposable {
  readonly #connection: Connection;
  readonly #pending: PendingRequest;
  readonly #read: Read<R>;

  constructor(connection: Connection, pending: PendingRequest, read: Read<R>) {
    this.#connection = connection;
    this.#pending = pending;
    this.#read = read;
  }

  get method(): string {
    return this.#pending.method;
  }
  /** Undefined where it was refused here and never sent. */
  get id(): number | undefined {
    return this.#pending.id;
  }

  /**
   * The result. Rejects with the peer's `RpcError`, with `SessionError` where the connection ended, `ValidationError` where
   * the result is not what its type says, or what the request's options ended it with.
   *
   * In a handler: the connection goes on with what came after the handler's message, whose effects may then come first.
   * What follows the await runs before the messages that came after the answer.
   */
  result(): Promise<R> {
    letGo(this.#pending.origin);
    return new Promise((resolve, reject) => this.#pending.consume(new Awaiter(resolve, reject, this.#read)));
  }

  /**
   * Calls `then` with what came of it, and the connection waits for it to settle before the next message. It always comes,
   * also as an error. What it throws ends the connection.
   */
  onReceivingResult(then: (outcome: Outcome<R>, cx: Cx) => unknown): void {
    this.#onOutcome(async (outcome, cx) => {
      await then(await this.#readOutcome(outcome), cx as Cx);
    });
  }

  /** As `onReceivingResult` for a result; an error is the answer of `responder`. */
  onReceivingOkResult<S>(
    responder: Responder<S>,
    then: (result: R, responder: Responder<S>, cx: Cx) => unknown,
  ): void {
    responder.keep();
    responder.onCancel(() => this.cancel());
    this.onReceivingResult(async (outcome, cx) => {
      if (!outcome.ok) {
        if (!responder.isSettled) responder.respondWithError(outcome.error);
        return;
      }
      try {
        await then(outcome.value, responder, cx);
      } catch (error) {
        if (responder.isSettled) throw error;
        responder.respondWithError(error);
      }
    });
  }

  /** Answers `responder` with whatever comes of it; where `responder`'s request is cancelled, this one is, too. */
  forwardTo(responder: Responder<R>): void {
    responder.keep();
    responder.onCancel(() => this.cancel());
    const answer = (outcome: Outcome<R>): void => {
      if (!responder.isSettled) responder.respondWithResult(outcome);
    };
    const take = (outcome: Outcome): void | Promise<void> => {
      const read = this.#readOutcome(outcome);
      return read instanceof Promise ? read.then(answer) : answer(read);
    };
    this.#pending.consume({ ordered: true, take });
  }

  /** The same request, its result made into something else. */
  map<T>(change: (result: R) => T | PromiseLike<T>): SentRequest<T, Cx> {
    return new SentRequest<T, Cx>(this.#connection, this.#pending, (value) => {
      const ours = this.#read(value);
      return isThenable(ours) ? ours.then(change) : change(ours);
    });
  }

  /** Asks the peer to abandon it, once. Its answer is still waited for. Nothing once it is answered. */
  cancel(): void {
    this.#connection.askToCancel(this.#pending);
  }

  /** Cancels it when `signal` aborts. */
  cancelWith(signal: AbortSignal): this {
    this.#pending.watch(signal, () => this.cancel());
    return this;
  }

  /** Lets it run; its answer is nobody's. */
  detach(): void {
    this.#pending.consume({ ordered: true, take: () => {} });
  }

  [Symbol.dispose](): void {
    if (this.#pending.isConsumed) return;
    this.detach();
    this.#connection.giveUp(this.#pending);
  }

  #onOutcome(then: (outcome: Outcome, cx: ConnectionTo) => Promise<void>): void {
    const { origin } = this.#pending;
    const take: Consumer["take"] = async (outcome, item) => {
      try {
        await this.#runIn(item, () => then(outcome, this.#connection.contextOf(item)));
      } catch (error) {
        this.#connection.fail(error);
      } finally {
        origin?.end();
      }
    };
    this.#pending.consume({ ordered: true, take });
    origin?.begin();
  }

  #runIn<T>(item: Item | undefined, work: () => T): T {
    return item === undefined ? runAside(work) : work();
  }

  #readOutcome(outcome: Outcome): Outcome<R> | Promise<Outcome<R>> {
    if (!outcome.ok) return outcome;
    try {
      const value = this.#read(outcome.value);
      if (!isThenable(value)) return { ok: true, value };
      return Promise.resolve(value).then((read) => ({ ok: true, value: read }), failed);
    } catch (error) {
      return failed(error);
    }
  }
}

/** Settles a promise with the outcome. */
class Awaiter<R> implements Consumer {
  readonly ordered = false;
  readonly #resolve: (value: R | PromiseLike<R>) => void;
  readonly #reject: (error: unknown) => void;
  readonly #read: Read<R>;

  constructor(resolve: (value: R | PromiseLike<R>) => void, reject: (error: unknown) => void, read: Read<R>) {
    this.#resolve = resolve;
    this.#reject = reject;
    this.#read = read;
  }

  take(outcome: Outcome): void {
    if (!outcome.ok) return this.#reject(outcome.error);
    try {
      this.#resolve(this.#read(outcome.value));
    } catch (error) {
      this.#reject(error);
    }
  }
}

function failed(error: unknown): { readonly ok: false; readonly error: Error } {
  return { ok: false, error: error instanceof Error ? error : new Error(String(error), { cause: error }) };
}

function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === "function";
}
