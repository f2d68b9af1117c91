// Where Effect owns a lifetime: a scope, made the first time somebody adds a finalizer to it. Most calls and streams
// never do, and then cost nothing (a scope that is used costs about a microsecond).
import * as Cause from "effect/Cause";
import * as Effect from "effect/Effect";
import * as Exit from "effect/Exit";
import * as Scope from "effect/Scope";

export class Lifetime {
  #scope: Scope.Closeable | undefined;
  #closed = false;

  get isClosed(): boolean {
    return this.#closed;
  }

  /** The scope behind it. Of a lifetime that is over it is closed: what is added to it runs at once. */
  get scope(): Scope.Scope {
    if (this.#scope === undefined) {
      this.#scope = Scope.makeUnsafe();
      if (this.#closed) Scope.closeUnsafe(this.#scope, Exit.void);
    }
    return this.#scope;
  }

  /** Runs `finalizer` when this is over; the last added runs first. Added afterwards it runs at once. */
  defer(finalizer: () => void | PromiseLike<void>): void {
    const run = Effect.suspend(() => {
      const result = finalizer();
      return isThenable(result) ? Effect.promise(() => Promise.resolve(result)) : Effect.void;
    });
    Effect.runSync(Scope.addFinalizer(this.scope, run));
  }

  /**
   * Ends it. Finalizers that are synchronous have run when this returns, in reverse; those that wait go on in the
   * background, one after the other. Idempotent. Returns what a finalizer threw; the others have run all the same.
   */
  close(exit: Exit.Exit<unknown, unknown> = Exit.void): unknown {
    if (this.#closed) return undefined;
    this.#closed = true;
    if (this.#scope === undefined) return undefined;
    const finalizers = Scope.closeUnsafe(this.#scope, exit);
    if (finalizers === undefined) return undefined;
    try {
      Effect.runSync(finalizers);
    } catch (error) {
      // Some wait: they go on by themselves.
      return Cause.isAsyncFiberError(error) ? undefined : error;
    }
    return undefined;
  }
}

function isThenable(value: unknown): value is PromiseLike<void> {
  return typeof (value as PromiseLike<void> | undefined)?.then === "function";
}
