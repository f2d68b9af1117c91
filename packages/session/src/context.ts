import type { Id, NotificationMessage } from "@sluice/codec";
import type { IncomingCall } from "@sluice/core";
import type { Lifetime } from "./lifetime.ts";
import type { PlainSession, Session } from "./session.ts";

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
  readonly session: PlainSession;
  /** What runs the call, where that has to have stopped before its finalizers run; undefined once it has. */
  running: (() => Promise<void> | undefined) | undefined;
  readonly #source: IncomingCall | NotificationMessage;
  #abort: AbortController | undefined;
  #lifetime: Lifetime | undefined;
  #listeners: ((reason: Error) => void)[] = NOBODY;

  constructor(session: PlainSession, source: IncomingCall | NotificationMessage) {
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
    const reason = this.#cancelled;
    if (reason === undefined) this.onCancel((why) => abort.abort(why));
    else abort.abort(reason);
    return abort.signal;
  }

  get isCancelled(): boolean {
    return this.#cancelled !== undefined;
  }

  get #cancelled(): Error | undefined {
    return this.#call?.cancelled ?? this.session.error;
  }

  /** Called in the tick the call is cancelled, or its session ends. A notification cannot be cancelled. */
  onCancel(listener: (reason: Error) => void): void {
    const call = this.#call;
    if (call === undefined) {
      this.#listeners = [...this.#listeners, listener];
      void this.lifetime; // ends with the session
      return;
    }
    const before = call.onCancel;
    call.onCancel = (reason): void => {
      before?.(reason);
      listener(reason);
    };
  }

  /**
   * The lifetime of the call, made when first asked for: over once the call has been answered and the streams of its
   * result are over, or the session is. That of a notification is for its handler to close.
   */
  get lifetime(): Lifetime {
    if (this.#lifetime !== undefined) return this.#lifetime;
    const lifetime = this.session.lifetime.fork(this.method);
    this.#lifetime = lifetime;
    const call = this.#call;
    if (call?.isReleased === true) void lifetime.close();
    else {
      lifetime.onClose = (): Promise<void> | undefined => this.#stop();
      if (call !== undefined) call.onReleased = (): void => void lifetime.close();
    }
    return lifetime;
  }

  defer(finalizer: () => void | PromiseLike<void>): void {
    this.lifetime.defer(finalizer);
  }

  /** The handler of a notification has settled. */
  close(): void {
    this.#listeners = NOBODY;
    void this.#lifetime?.close();
  }

  #stop(): Promise<void> | undefined {
    const { error } = this.session;
    if (error !== undefined) for (const listener of this.#listeners) listener(error);
    return this.running?.();
  }
}

const NOBODY: never[] = [];
