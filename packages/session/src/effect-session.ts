// A session of the Effect door: its life is a scope, its errors are typed, interruption cancels.
import type {
  CancelledError,
  Hello,
  RefusedError,
  RpcError,
  SessionError,
  Stats,
  TimeoutError,
} from "@sluice/core";
import { CancelledError as Cancelled } from "@sluice/core";
import type { Role } from "@sluice/streams";
import { TransportError, type Transport } from "@sluice/transport";
import * as Context from "effect/Context";
import * as Effect from "effect/Effect";
import * as Exit from "effect/Exit";
import * as Layer from "effect/Layer";
import type * as Scope from "effect/Scope";
import { build, type Built, type SessionOptions } from "./connect.ts";
import type { DoorWaiter, Driver } from "./driver.ts";
import { lifterTo } from "./effect-lift.ts";
import { EffectHandlers, type EffectHandler } from "./effect-handlers.ts";
import { hang, sinkOf, streamOf } from "./effect-stream.ts";
import type { LeakOptions } from "./leaks.ts";
import { withSafeListeners } from "./listeners.ts";
import { toCore, type CallOptions as PlainCallOptions, type Session as PlainSession } from "./session.ts";

/** Why a call failed. */
export type CallError = RpcError | CancelledError | TimeoutError | RefusedError | SessionError;

export type CallOptions = Omit<PlainCallOptions, "signal">;

/** One conversation, whose life is its scope. */
export interface Session {
  /**
   * Calls the peer. `Stream`s and `Sink`s may stand anywhere in params; the streams of the result hang on the scope the
   * call is made in. Interrupted, the peer is told once.
   */
  call<A = unknown>(
    method: string,
    params?: unknown,
    options?: CallOptions,
  ): Effect.Effect<A, CallError, Scope.Scope>;
  /** Notifies the peer. Done once there is room for more, mostly at once. */
  notify(method: string, params?: unknown): Effect.Effect<void, RefusedError | SessionError>;
  /** The peer's hello; undefined where the peer is plain JSON-RPC. */
  readonly peer: Hello | undefined;
  /** Waits for the session's end and gives its reason. */
  readonly closed: Effect.Effect<SessionError>;
  /** Lets what runs finish, takes nothing new, and ends. */
  drain(reason?: string): Effect.Effect<void>;
  stats(): Stats;
  /** The same session through the plain door. */
  readonly plain: PlainSession;
}

/** The session as a service. */
export const Session: Context.Service<Session, Session> = Context.Service<Session>("@sluice/session/Session");

export interface EffectSessionOptions<R = never> extends Omit<
  SessionOptions,
  | "handlers"
  | "notifications"
  | "fallback"
  | "fallbackNotification"
  | "chain"
  | "interceptIncoming"
  | "interceptOutgoing"
  | "signal"
> {
  readonly handlers?: Readonly<Record<string, EffectHandler<R>>>;
  readonly notifications?: Readonly<Record<string, EffectHandler<R>>>;
  /** Answers calls of methods that have no handler. */
  readonly fallback?: EffectHandler<R>;
}

/** Opens a session as the one who greets; closing the scope closes it, and waits until its transport is released. */
export function connect<R = never>(
  transport: Transport,
  options: EffectSessionOptions<R> = {},
): Effect.Effect<Session, SessionError, NoInfer<R> | Scope.Scope> {
  return open("initiator", transport, options);
}

/** Opens a session as the one who is greeted; its life is as `connect`'s. */
export function serve<R = never>(
  transport: Transport,
  options: EffectSessionOptions<R> = {},
): Effect.Effect<Session, SessionError, NoInfer<R> | Scope.Scope> {
  return open("acceptor", transport, options);
}

/** Gives a transport. The signal aborts where the wait for it is interrupted. */
export type Dial = (signal: AbortSignal) => Transport | Promise<Transport>;

/**
 * Dials, and opens a session as the one who greets; its life is as `connect`'s. Interrupted while it dials, the signal
 * aborts.
 */
export function dial<R = never>(
  transport: Dial,
  options: EffectSessionOptions<R> = {},
): Effect.Effect<Session, SessionError | TransportError, NoInfer<R> | Scope.Scope> {
  return Effect.flatMap(dialled(transport), (to) => open("initiator", to, options));
}

/** A session as a layer: dialled and opened when it is built, closed when its scope is. The transport is made anew each time. */
export function layer<R = never>(
  transport: Dial,
  options: EffectSessionOptions<R> & { readonly role?: Role } = {},
): Layer.Layer<Session, SessionError | TransportError, NoInfer<R>> {
  const opened = Effect.flatMap(dialled(transport), (to) => open(options.role ?? "initiator", to, options));
  return Layer.effect(Session, opened);
}

// A transport that comes although the wait for it was given up has nobody to hold it: it is let go of.
function dialled(transport: Dial): Effect.Effect<Transport, TransportError> {
  return Effect.callback<Transport, TransportError>((resume, signal) => {
    void (async () => {
      try {
        const to = await transport(signal);
        if (signal.aborted) to.abort();
        else resume(Effect.succeed(to));
      } catch (cause) {
        resume(Effect.fail(asTransportError(cause)));
      }
    })();
  });
}

/** What a transport's own function threw, as an error of ours. */
export function asTransportError(cause: unknown): TransportError {
  if (cause instanceof TransportError) return cause;
  return new TransportError("connect", cause instanceof Error ? cause.message : String(cause), { cause });
}

function open<R>(
  role: Role,
  transport: Transport,
  given: EffectSessionOptions<R>,
): Effect.Effect<Session, SessionError, R | Scope.Scope> {
  const options = withSafeListeners(given);
  return Effect.flatMap(Effect.context<R>(), (context) => {
    const acquire = Effect.sync(() => start(role, transport, options, context));
    // The greeting is waited for outside of the acquisition, so that it can be interrupted.
    const acquired = Effect.acquireRelease(acquire, ({ session }) =>
      Effect.promise(() => session.close("its scope closed")),
    );
    return Effect.flatMap(acquired, ({ driver, session }) =>
      Effect.as(
        Effect.tryPromise({ try: () => driver.opened, catch: (error) => error as SessionError }),
        door(driver, session, options),
      ),
    );
  });
}

export type SafeOptions<R> = EffectSessionOptions<R> & Required<Pick<SessionOptions, "onHandlerError">>;

/** Builds a session and starts it; whoever calls this sees to its end. */
export function start<R>(
  role: Role,
  transport: Transport,
  options: SafeOptions<R>,
  context: Context.Context<R>,
): Built {
  const { handlers, notifications, fallback, ...plain } = options;
  const handlerOptions = {
    handlers: new Map(Object.entries(handlers ?? {})),
    notifications: new Map(Object.entries(notifications ?? {})),
    fallback,
    context,
    onHandlerError: plain.onHandlerError,
    leaks: plain,
  };
  const built: Built = build(role, transport, plain, {
    dispatcher: (session) => new EffectHandlers(handlerOptions, session),
    lifter: lifterTo({ context, lifetime: () => built.session.lifetime }),
  });
  return built;
}

/** The session as this door shows it. */
export function door(driver: Driver, plain: PlainSession, leaks: LeakOptions): Session {
  const { core } = driver;
  return {
    call: (method, params, options) =>
      Effect.flatMap(Effect.scope, (scope) => call(driver, leaks, scope, method, params, options)) as never,
    notify: (method, params) =>
      Effect.tryPromise({
        try: () => plain.notify(method, params),
        catch: (error) => error as RefusedError | SessionError,
      }),
    get peer(): Hello | undefined {
      return core.peer;
    },
    closed: Effect.promise(() => plain.closed),
    drain: (reason) => Effect.promise(() => plain.drain(reason)),
    stats: () => plain.stats(),
    plain,
  };
}

function call(
  driver: Driver,
  leaks: LeakOptions,
  scope: Scope.Scope,
  method: string,
  params: unknown,
  options: CallOptions = {},
): Effect.Effect<unknown, CallError> {
  return Effect.callback((resume) => {
    const waiter: DoorWaiter = {
      result: (value) => resume(Exit.succeed(value)),
      error: (error) => resume(Exit.fail(error as CallError)),
      receive: (half) => {
        hang(half, scope);
        return half.kind === "send" ? sinkOf(half, leaks) : streamOf(half, leaks);
      },
    };
    const sent = driver.send(method, params, waiter, toCore(options, driver.now));
    return Effect.sync(() => {
      if (sent !== undefined) driver.core.cancel(sent, new Cancelled("interrupted"));
    });
  });
}
