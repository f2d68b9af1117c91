// Turns for programs in Effect.
import * as Cause from "effect/Cause";
import * as Effect from "effect/Effect";
import * as Stream from "effect/Stream";
import type { SessionUpdate } from "./generated/v1.ts";
import type { Turn } from "./turn.ts";

/**
 * The updates of a turn, as the agent sends them; it ends with the turn, and fails with what the prompt failed with. Left early
 * or interrupted it takes no update with it, and the turn goes on: what has not been read is read by the next that runs it, or
 * from the turn. To end the turn, `turn.cancel()`.
 */
export function updatesOf(turn: Turn): Stream.Stream<SessionUpdate, Error> {
  const read = Effect.tryPromise({
    try: (signal) => turn.read({ signal }),
    catch: (error) => error as Error,
  });
  const pull = Effect.flatMap(read, (update) =>
    update === undefined ? Cause.done() : Effect.succeed([update] as const),
  );
  return Stream.fromPull(Effect.succeed(pull));
}
