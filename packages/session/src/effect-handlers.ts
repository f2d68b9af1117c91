// Runs the peer's calls as fibers: cancelled is interrupted, and the call's scope stays open until the streams of its
// result are over.
import { ErrorCode } from "@sluice/codec";
import { CancelledError, RpcError, type IncomingCall, type IncomingNotification } from "@sluice/core";
import type { Half } from "@sluice/streams";
import * as Cause from "effect/Cause";
import type * as Context from "effect/Context";
import * as Effect from "effect/Effect";
import * as Exit from "effect/Exit";
import * as Scope from "effect/Scope";
import { CallContext, type HandlerContext } from "./context.ts";
import type { Dispatcher } from "./driver.ts";
import { sinkOf, streamOf } from "./effect-stream.ts";
import { ended } from "./fiber.ts";
import { Settle } from "./handlers.ts";
import type { LeakOptions } from "./leaks.ts";
import type { PlainSession } from "./session.ts";

/**
 * Answers a call: its success is the result, an `RpcError` it fails with the error as it is, anything else -32603. Its
 * `Scope` is the call's own.
 */
export type EffectHandler<R = never> = (
  // oxlint-disable-next-line typescript/no-explicit-any -- params are what the peer sent; a contract gives them types
  params: any,
  context: HandlerContext,
) => Effect.Effect<unknown, unknown, R | Scope.Scope>;

export interface EffectHandlerOptions<R> {
  readonly handlers: ReadonlyMap<string, EffectHandler<R>>;
  readonly notifications: ReadonlyMap<string, EffectHandler<R>>;
  readonly fallback: EffectHandler<R> | undefined;
  readonly context: Context.Context<R>;
  readonly onHandlerError: (error: unknown, method: string) => void;
  readonly leaks: LeakOptions;
}

export class EffectHandlers<R> implements Dispatcher {
  readonly #options: EffectHandlerOptions<R>;
  readonly #session: PlainSession;

  constructor(options: EffectHandlerOptions<R>, session: PlainSession) {
    this.#options = options;
    this.#session = session;
  }

  receive(half: Half): unknown {
    const { leaks } = this.#options;
    return half.kind === "send" ? sinkOf(half, leaks) : streamOf(half, leaks);
  }

  call(call: IncomingCall): void {
    const { handlers, fallback, onHandlerError } = this.#options;
    const { method, params } = call;
    const handler = handlers.get(method) ?? fallback;
    if (handler === undefined)
      return void call.fail(new RpcError(ErrorCode.methodNotFound, "method not found"));
    const context = new CallContext(this.#session, call);
    const settle = new Settle(call, onHandlerError);
    this.#run(handler, params, context, (exit) => {
      if (Exit.isSuccess(exit)) return settle.succeed(exit.value);
      settle.fail(Cause.hasInterruptsOnly(exit.cause) ? new CancelledError() : Cause.squash(exit.cause));
    });
  }

  notification(notification: IncomingNotification): void {
    const { message } = notification;
    const { notifications, onHandlerError } = this.#options;
    const handler = notifications.get(message.method);
    if (handler === undefined) return notification.done();
    const context = new CallContext(this.#session, message);
    this.#run(handler, message.params, context, (exit) => {
      if (Exit.isFailure(exit) && !Cause.hasInterruptsOnly(exit.cause))
        onHandlerError(Cause.squash(exit.cause), message.method);
      context.close();
      notification.done();
    });
  }

  #run(
    handler: EffectHandler<R>,
    params: unknown,
    context: CallContext,
    onExit: (exit: Exit.Exit<unknown, unknown>) => void,
  ): void {
    const scoped = Effect.suspend(() => Scope.provide(handler(params, context), context.lifetime.scope));
    const fiber = Effect.runForkWith(this.#options.context)(scoped as Effect.Effect<unknown, unknown, R>);
    fiber.addObserver((exit) => {
      if (Exit.isFailure(exit)) context.lifetime.exit = exit;
      onExit(exit);
    });
    if (fiber.pollUnsafe() !== undefined) return;
    context.running = (): Promise<void> | undefined => ended(fiber);
    // What it did so far may have ended the call, or the session.
    if (context.isCancelled) fiber.interruptUnsafe();
    else context.onCancel(() => fiber.interruptUnsafe());
  }
}
