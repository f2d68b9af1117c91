// Whose handlers run: so that one that waits for an answer through a handle which is not its own lets its connection go on
// all the same. Servers' runtimes follow a handler through its awaits, for what it costs to say so once a chunk; to say it for
// every message costs a tenth of a call. Browsers cannot follow yet: there it is known until the handler's first await.

/** A connection that runs handlers. */
export interface Dispatching {
  /** The handlers that hold it wait for something that may stand behind them: it goes on with the next message. */
  letGo(): void;
}

interface Storage {
  run<R>(value: Dispatching | undefined, work: () => R): R;
  getStore(): Dispatching | undefined;
}

/** Until the first await. */
class SyncStorage implements Storage {
  #running: Dispatching | undefined;

  run<R>(dispatching: Dispatching | undefined, work: () => R): R {
    const before = this.#running;
    this.#running = dispatching;
    try {
      return work();
    } finally {
      this.#running = before;
    }
  }
  getStore(): Dispatching | undefined {
    return this.#running;
  }
}

interface AsyncHooks {
  readonly AsyncLocalStorage: new () => Storage;
}

const { process } = globalThis as {
  process?: { getBuiltinModule?(name: string): AsyncHooks | undefined };
};
const AsyncLocalStorage = process?.getBuiltinModule?.("node:async_hooks")?.AsyncLocalStorage;
const storage: Storage = AsyncLocalStorage === undefined ? new SyncStorage() : new AsyncLocalStorage();

/** Runs what the messages of a connection set off. */
export function runIn<R>(dispatching: Dispatching, work: () => R): R {
  return storage.run(dispatching, work);
}

/** Beside all handlers: what is awaited there lets none of them go, though one may have started it. */
export const ASIDE: Dispatching = { letGo: () => {} };

export function runAside<R>(work: () => R): R {
  return storage.run(ASIDE, work);
}

/** Runs what belongs to no handler; one may wait for it all the same. */
export function runElsewhere<R>(work: () => R): R {
  return storage.run(undefined, work);
}

/** The connection in whose handlers we are. */
export function dispatching(): Dispatching | undefined {
  return storage.getStore();
}
