// Serving in the Effect door: a transport's server whose sessions live in one scope with it.
import type { Transport, TransportError } from "@sluice/transport";
import * as Context from "effect/Context";
import * as Effect from "effect/Effect";
import * as Exit from "effect/Exit";
import * as Layer from "effect/Layer";
import * as Scope from "effect/Scope";
import type { Built } from "./connect.ts";
import {
  asTransportError,
  door,
  start,
  type EffectSessionOptions,
  type SafeOptions,
  type Session,
} from "./effect-session.ts";
import { withSafeListeners } from "./listeners.ts";

/** A server of any transport that runs, such as those of `@sluice/ws` and `@sluice/http`. */
export interface Server {
  readonly url: string;
  readonly port: number;
  /** Sessions that are open. */
  readonly sessions: number;
  close(reason?: string): Promise<void>;
}

/** The server as a service. */
export const Server: Context.Service<Server, Server> = Context.Service<Server>("@sluice/session/Server");

/** Starts a transport's server, and hands it what takes each new transport. */
export type Listen = (onSession: (transport: Transport) => void) => Server | Promise<Server>;

export interface ListenOptions<R> extends EffectSessionOptions<R> {
  /** Run for each session once it is greeted, in a scope that closes when the session is over; interrupted by then. */
  readonly onSession?: (session: Session) => Effect.Effect<void, never, R | Scope.Scope>;
}

/**
 * Serves whoever connects, as the one who is greeted. Closing the scope closes every session, waits until its transport
 * is released, and then closes the server.
 */
export function listen<R = never>(
  start: Listen,
  options: ListenOptions<R> = {},
): Effect.Effect<Server, TransportError, NoInfer<R> | Scope.Scope> {
  return Effect.flatMap(Effect.context<R>(), (context) => {
    const sessions = new Sessions(withSafeListeners(options), context);
    const begun = Effect.tryPromise({
      try: async () => start((transport) => sessions.open(transport)),
      catch: asTransportError,
    });
    return Effect.acquireRelease(begun, (server) => Effect.promise(() => sessions.close(server)));
  });
}

/** The server as a layer: it listens when it is built, and is gone when its scope is. */
export function layerServer<R = never>(
  start: Listen,
  options: ListenOptions<R> = {},
): Layer.Layer<Server, TransportError, NoInfer<R>> {
  return Layer.effect(Server, listen(start, options));
}

/** The sessions of one server. */
class Sessions<R> {
  readonly #options: SafeOptions<R> & ListenOptions<R>;
  readonly #context: Context.Context<R>;
  /** Each with what settles once it is over and nothing of it runs any more. */
  readonly #open: Map<Built, Promise<unknown>> = new Map();

  constructor(options: SafeOptions<R> & ListenOptions<R>, context: Context.Context<R>) {
    this.#options = options;
    this.#context = context;
  }

  open(transport: Transport): void {
    const { onSession, ...options } = this.#options;
    const built = start("acceptor", transport, options, this.#context);
    const running = onSession === undefined ? undefined : this.#run(built, onSession);
    const over = Promise.all([built.session.closed, running]).then(() => this.#open.delete(built));
    this.#open.set(built, over);
  }

  async close(server: Server): Promise<void> {
    const over = [...this.#open.values()];
    for (const { session } of this.#open.keys()) void session.close("the server's scope closed");
    await Promise.all(over);
    await server.close();
  }

  async #run({ driver, session }: Built, use: NonNullable<ListenOptions<R>["onSession"]>): Promise<void> {
    try {
      await driver.opened;
    } catch {
      return; // it was never a session; `closed` says why
    }
    const scope = Scope.makeUnsafe();
    const effect = Effect.provideService(use(door(driver, session, this.#options)), Scope.Scope, scope);
    const fiber = Effect.runForkWith(this.#context)(effect as Effect.Effect<void, never, R>);
    await session.closed;
    fiber.interruptUnsafe();
    await Effect.runPromise(Scope.close(scope, Exit.void));
  }
}
