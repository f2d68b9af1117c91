import type { Id, NotificationMessage } from "@sluice/codec";
import { CancelledError, type IncomingCall } from "@sluice/core";
import { Lifetime } from "./lifetime.ts";
import type { Session } from "./session.ts";

/** What a handler is given beside its params. */
export interface HandlerContext {
  readonly method: string;
  /** Undefined in the handler of a notification. */
  readonly id: Id | undefined;
  /** For calls the other way. */
  readonly session: Session;
  /** Aborts when the peer cancels, when the deadline passes and when the session ends. Made when first looked at. */
  readonly signal: AbortSignal;
  /** The message as it came, for members that are not JSON-RPC's own, such as `traceparent`. */
  readonly message: Readonly<Record<string, unknown>>;
  /** Runs `finalizer` once the call has been answered and the streams of its result are over; the last added first. */
  defer(finalizer: () => void | PromiseLike<void>): void;
}

/** The context of one call or notification. Costs an object; all else is made when asked for. */
export class CallContext implements HandlerContext {
  readonly session: Session;
  readonly #source: IncomingCall | NotificationMessage;
  #abort: AbortController | undefined;
  #lifetime: Lifetime | undefined;

  constructor(session: Session, source: IncomingCall | NotificationMessage) {
    this.session = session;
    this.#source = source;
  }

  get method(): string {
    return this.#source.method;
  }

  get message(): Readonly<Record<string, unknown>> {
    return this.#source.kind === "call" ? this.#source.message.raw : this.#source.raw;
  }

  get id(): Id | undefined {
    return this.#call?.id;
  }

  get #call(): IncomingCall | undefined {
    return this.#source.kind === "call" ? this.#source : undefined;
  }

  get signal(): AbortSignal {
    if (this.#abort !== undefined) return this.#abort.signal;
    const abort = new AbortController();
    this.#abort = abort;
    const call = this.#call;
    if (call?.cancelled !== undefined) abort.abort(call.cancelled);
    else if (call !== undefined) this.onCancel((reason) => abort.abort(reason));
    else
      void this.session.closed.then((error) =>
        abort.abort(new CancelledError(error.message, { cause: error })),
      );
    return abort.signal;
  }

  /** Called in the tick the call is cancelled. */
  onCancel(listener: (reason: Error) => void): void {
    const call = this.#call;
    if (call === undefined) return;
    const before = call.onCancel;
    call.onCancel = (reason): void => {
      before?.(reason);
      listener(reason);
    };
  }

  /**
   * The lifetime of the call, made when first asked for: over once the call has been answered and the streams of its
   * result are over. That of a notification is for its handler to close.
   */
  get lifetime(): Lifetime {
    if (this.#lifetime !== undefined) return this.#lifetime;
    const lifetime = new Lifetime();
    this.#lifetime = lifetime;
    const call = this.#call;
    if (call?.isReleased === true) lifetime.close();
    else if (call !== undefined) call.onReleased = (): void => void lifetime.close();
    return lifetime;
  }

  defer(finalizer: () => void | PromiseLike<void>): void {
    this.lifetime.defer(finalizer);
  }

  /** The handler of a notification has settled. */
  close(): void {
    this.#lifetime?.close();
  }
}
