// Where Effect owns a lifetime: a scope, made the first time somebody adds a finalizer to it. Most calls and streams
// never do, and then cost nothing (a scope that is used costs about a microsecond).
//
// Lifetimes form a tree as scopes do: those of calls end with their session, before its own finalizers run. They are no
// scopes inside a scope, because what runs in one has to stop before its finalizers run, and only then those around it.
import * as Cause from "effect/Cause";
import * as Effect from "effect/Effect";
import * as Exit from "effect/Exit";
import * as Scope from "effect/Scope";

/** Told what a finalizer threw, and whose it was. */
type OnError = (error: unknown, owner: string) => void;

export class Lifetime {
  readonly #owner: string;
  readonly #onError: OnError;
  readonly #parent: Lifetime | undefined;
  #children: Set<Lifetime> | undefined;
  #scope: Scope.Closeable | undefined;
  // `closing`: something that runs in it has yet to stop, or finalizers wait.
  #state: "open" | "closing" | "closed" = "open";
  #ending: Promise<void> | undefined;
  /** What its finalizers are told it ended with. */
  exit: Exit.Exit<unknown, unknown> = Exit.void;
  /** Called when it ends, before its finalizers: stops what runs in it. They wait for what it returns. */
  onClose: (() => Promise<void> | undefined) | undefined;

  constructor(owner: string, onError: OnError, parent?: Lifetime) {
    this.#owner = owner;
    this.#onError = onError;
    this.#parent = parent;
  }

  /** One that ends with this one at the latest. */
  fork(owner: string): Lifetime {
    const child = new Lifetime(owner, this.#onError, this);
    if (this.#state !== "open") void child.close();
    else (this.#children ??= new Set()).add(child);
    return child;
  }

  /** How many hang on it. */
  get children(): number {
    return this.#children?.size ?? 0;
  }

  /** The scope behind it. Of a lifetime that is over it is closed: what is added to it runs at once. */
  get scope(): Scope.Scope {
    if (this.#scope === undefined) {
      this.#scope = Scope.makeUnsafe();
      if (this.#state === "closed") Scope.closeUnsafe(this.#scope, Exit.void);
    }
    return this.#scope;
  }

  /** Runs `finalizer` when this is over; the last added runs first. Added afterwards it runs at once. */
  defer(finalizer: () => void | PromiseLike<void>): void {
    const run = Effect.suspend(() => {
      try {
        const result = finalizer();
        if (isThenable(result)) return Effect.promise(() => Promise.resolve(result).catch(this.#failed));
      } catch (error) {
        this.#failed(error);
      }
      return Effect.void;
    });
    void this.#run(Scope.addFinalizer(this.scope, run));
  }

  /**
   * Ends it, and what hangs on it first. Finalizers that are synchronous have run when this returns, in reverse, unless
   * they had to wait for something; what it returns tells when they have. Idempotent. One that throws is reported, and
   * the others run all the same.
   */
  close(): Promise<void> | undefined {
    if (this.#state !== "open") return this.#ending;
    this.#state = "closing";
    const waits: Promise<void>[] = [];
    for (const child of [...(this.#children ?? [])].reverse()) push(waits, child.close());
    push(waits, this.onClose?.());
    const ending = waits.length === 0 ? this.#finalize() : Promise.all(waits).then(() => this.#finalize());
    if (ending === undefined) this.#gone();
    else this.#ending = ending.then(() => this.#gone());
    return this.#ending;
  }

  #gone(): void {
    if (this.#parent !== undefined) this.#parent.#children?.delete(this);
  }

  #finalize(): Promise<void> | undefined {
    this.#state = "closed";
    if (this.#scope === undefined) return undefined;
    const finalizers = Scope.closeUnsafe(this.#scope, this.exit);
    return finalizers === undefined ? undefined : this.#run(finalizers);
  }

  // As far as it goes without waiting; the rest goes on by itself.
  #run(effect: Effect.Effect<void>): Promise<void> | undefined {
    const exit = Effect.runSyncExit(effect);
    if (Exit.isSuccess(exit)) return undefined;
    const error = Cause.squash(exit.cause);
    if (!Cause.isAsyncFiberError(error)) {
      this.#failed(error);
      return undefined;
    }
    return new Promise((resolve) => {
      error.fiber.addObserver((done) => {
        if (Exit.isFailure(done)) this.#failed(Cause.squash(done.cause));
        resolve();
      });
    });
  }

  readonly #failed = (error: unknown): void => this.#onError(error, this.#owner);
}

function push(waits: Promise<void>[], wait: Promise<void> | undefined): void {
  if (wait !== undefined) waits.push(wait);
}

function isThenable(value: unknown): value is PromiseLike<void> {
  return typeof (value as PromiseLike<void> | undefined)?.then === "function";
}
