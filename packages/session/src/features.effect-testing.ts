// Two sessions of the Effect door, joined in memory.
import { memoryPair } from "@sluice/transport";
import * as Effect from "effect/Effect";
import type * as Scope from "effect/Scope";
import type { SessionError } from "./index.ts";
import { assertNoLeaks, connect, serve, type EffectSessionOptions, type Session } from "./effect.ts";
import { macrotask } from "./macrotask.ts";

export type Encoding = "frames" | "json";

export function pair<R = never>(
  there: EffectSessionOptions<R>,
  encoding: Encoding = "frames",
): Effect.Effect<readonly [Session, Session], SessionError, R | Scope.Scope> {
  const [left, right] = memoryPair();
  const common = { encodings: [encoding], onHandlerError: () => {} };
  return Effect.all([connect(left, common), serve(right, { ...common, ...there })], { concurrency: 2 });
}

export const run = <A, E>(program: Effect.Effect<A, E, Scope.Scope>): Promise<A> =>
  Effect.runPromise(Effect.scoped(program));

/** A call that comes back once everything before it has been dealt with; then nothing is held. */
export const settle = ([a, b]: readonly [Session, Session]): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    yield* Effect.exit(a.call("none"));
    yield* Effect.promise(() => new Promise<void>(macrotask));
    assertNoLeaks(a);
    assertNoLeaks(b);
  });
