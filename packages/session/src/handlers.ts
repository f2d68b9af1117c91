// Runs the peer's calls: finds the handler, gives it params and context, answers with what comes of it.
import { ErrorCode, type Params } from "@sluice/codec";
import { CancelledError, RpcError, type IncomingCall, type IncomingNotification } from "@sluice/core";
import type { Half } from "@sluice/streams";
import { CallContext, type HandlerContext } from "./context.ts";
import type { Dispatcher } from "./driver.ts";
import type { ChainMessage, HandlerChain } from "./chain.ts";
import { Responder, type Answering } from "./responder.ts";
import type { PlainSession } from "./session.ts";

/**
 * Answers a call. What it returns is the result (undefined as null), what it throws the error: an `RpcError` as it is,
 * anything else as -32603 without its text.
 */
// oxlint-disable-next-line typescript/no-explicit-any -- params are what the peer sent; a contract gives them types
export type Handler = (params: any, context: HandlerContext) => unknown;

/** Runs a notification; what it returns or throws reaches nobody but `onHandlerError`. */
export type NotificationHandler = Handler;

/** One function around every call of the peer's, or of ours. `next` goes on, with other params if given. */
export type Interceptor = (
  call: { readonly method: string; readonly params: unknown; readonly context?: HandlerContext },
  next: (params?: unknown) => Promise<unknown>,
) => Promise<unknown>;

export interface HandlerOptions {
  readonly handlers: ReadonlyMap<string, Handler>;
  readonly notifications: ReadonlyMap<string, NotificationHandler>;
  /** Methods without a handler. */
  readonly fallback: Handler | undefined;
  readonly fallbackNotification: NotificationHandler | undefined;
  readonly intercept: readonly Interceptor[];
  readonly chain: HandlerChain;
  readonly onHandlerError: (error: unknown, method: string) => void;
  readonly receive: (half: Half) => unknown;
}

export class Handlers implements Dispatcher {
  readonly #options: HandlerOptions;
  readonly #session: () => PlainSession;

  constructor(options: HandlerOptions, session: () => PlainSession) {
    this.#options = options;
    this.#session = session;
  }

  receive(half: Half): unknown {
    return this.#options.receive(half);
  }

  call(call: IncomingCall): void {
    const { handlers, chain, fallback, intercept } = this.#options;
    const { method, params } = call;
    const run = handlers.get(method) ?? (chain.isEmpty ? fallback : this.#chained(call));
    if (run === undefined) return void call.fail(methodNotFound());
    const context = new CallContext(this.#session(), call);
    try {
      const result =
        intercept.length === 0 ? run(params, context) : this.#intercepted(run, method, params, context);
      if (!isThenable(result)) return void call.succeed(result);
      const settle = new Settle(call, this.#options.onHandlerError);
      result.then(settle.succeed, settle.fail);
    } catch (error) {
      failCall(call, error, this.#options.onHandlerError);
    }
  }

  notification(notification: IncomingNotification): void {
    const { message } = notification;
    const { notifications, chain, fallbackNotification, onHandlerError } = this.#options;
    const { method, params } = message;
    const handler = notifications.get(method) ?? (chain.isEmpty ? fallbackNotification : undefined);
    if (handler === undefined && chain.isEmpty) return notification.done(); // nobody listens
    const context = new CallContext(this.#session(), message);
    const finish = (): void => {
      context.close();
      notification.done();
    };
    const failed = (error: unknown): void => {
      onHandlerError(error, method);
      finish();
    };
    try {
      const result =
        handler === undefined
          ? chain.notification({ method, params }, context, fallbackNotification)
          : handler(params, context);
      if (isThenable(result)) result.then(finish, failed);
      else finish();
    } catch (error) {
      failed(error);
    }
  }

  // The chain as a handler. It answers through a responder, which may be kept; one that is lost is answered for once it
  // has been collected, so nothing here may hold on to it.
  #chained(call: IncomingCall): Handler {
    const { chain, fallback } = this.#options;
    const { method } = call;
    return (params: Params | undefined, context) =>
      new Promise((resolve, reject) => {
        const responder = new Responder(method, new ChainAnswer(call, resolve, reject));
        const passedOn = (message: ChainMessage | undefined): void => {
          if (message === undefined || responder.isSettled) return;
          if (fallback === undefined) responder.fail(methodNotFound());
          else resolve(fallback(message.params, context));
        };
        chain.request({ method, params }, responder, context).then(passedOn).catch(reject);
      });
  }

  #intercepted(
    run: Handler,
    method: string,
    params: Params | undefined,
    context: CallContext,
  ): Promise<unknown> {
    const at = (i: number, now: unknown): Promise<unknown> => {
      const interceptor = this.#options.intercept[i];
      if (interceptor === undefined) return new Promise((resolve) => resolve(run(now, context)));
      return interceptor({ method, params: now, context }, (next = now) => at(i + 1, next));
    };
    return at(0, params);
  }
}

class ChainAnswer implements Answering {
  readonly #call: IncomingCall;
  readonly succeed: (result: unknown) => void;
  readonly fail: (error: unknown) => void;

  constructor(call: IncomingCall, succeed: (result: unknown) => void, fail: (error: unknown) => void) {
    this.#call = call;
    this.succeed = succeed;
    this.fail = fail;
  }

  get isOver(): boolean {
    return this.#call.isOver;
  }
}

type OnError = (error: unknown, method: string) => void;

/** Answers one call. Both functions may be passed on by themselves. */
export class Settle {
  readonly #call: IncomingCall;
  readonly #onError: OnError;

  constructor(call: IncomingCall, onError: OnError) {
    this.#call = call;
    this.#onError = onError;
  }

  get isOver(): boolean {
    return this.#call.isOver;
  }

  readonly succeed = (result: unknown): void => void this.#call.succeed(result);

  readonly fail = (error: unknown): void => failCall(this.#call, error, this.#onError);
}

/** Answers with what a handler threw; what is not meant for the peer is told here. */
function failCall(call: IncomingCall, error: unknown, onError: OnError): void {
  const forPeer = error instanceof RpcError || error instanceof CancelledError;
  if (!forPeer && call.cancelled === undefined) onError(error, call.method);
  // A handler that gave up because the peer cancelled says so.
  if (call.cancelled !== undefined && !(error instanceof RpcError)) call.fail(call.cancelled);
  else call.fail(error instanceof Error ? error : new Error(String(error), { cause: error }));
}

function methodNotFound(): RpcError {
  return new RpcError(ErrorCode.methodNotFound, "method not found");
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === "function";
}
