// Two sessions of the Effect door, joined as those of `lifetimes.testing.ts` are.
import { memoryPair } from "@sluice/transport";
import * as Effect from "effect/Effect";
import * as Exit from "effect/Exit";
import * as Scope from "effect/Scope";
import * as Stream from "effect/Stream";
import { connect, serve, type EffectSessionOptions, type Session } from "./effect.ts";
import { expectEmpty, Heard, SWIFT, type Ends } from "./lifetimes.testing.ts";

export interface EffectEnds extends Pick<Ends, "heard" | "wire"> {
  readonly a: Session;
  readonly b: Session;
  /** The scope each session was made in. */
  readonly scope: { readonly a: Scope.Closeable; readonly b: Scope.Closeable };
}

type Options = EffectSessionOptions;

export async function openEffect(here: Options = {}, there: Options = {}): Promise<EffectEnds> {
  const [left, right] = memoryPair();
  const heard = { a: new Heard(), b: new Heard() };
  const scope = { a: Scope.makeUnsafe(), b: Scope.makeUnsafe() };
  const options = (given: Options, { observer }: Heard): Options => ({
    onHandlerError: () => {},
    ...given,
    observer,
    limits: { ...SWIFT, ...given.limits },
  });
  const [a, b] = await Promise.all([
    Effect.runPromise(Scope.provide(connect(left, options(here, heard.a)), scope.a)),
    Effect.runPromise(Scope.provide(serve(right, options(there, heard.b)), scope.b)),
  ]);
  return { a, b, heard, scope, wire: { a: left, b: right } };
}

export function closeScope(scope: Scope.Closeable): Promise<void> {
  return Effect.runPromise(Scope.close(scope, Exit.void));
}

/** As `expectEmpty`, and then both scopes close. */
export async function expectEmptyAndClose(ends: EffectEnds): Promise<void> {
  await expectEmpty(ends);
  await Promise.all([closeScope(ends.scope.a), closeScope(ends.scope.b)]);
  await expectEmpty(ends);
}

/** Numbers without end; says how often it was left. */
export class EndlessStream {
  left = 0;
  readonly stream: Stream.Stream<number> = Stream.iterate(0, (n) => n + 1).pipe(
    Stream.ensuring(Effect.sync(() => void this.left++)),
  );
}
