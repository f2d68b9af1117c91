// Which item's handler runs: so that one that waits for an answer, through whatever handle it has, lets its connection
// go on. Servers' runtimes follow a handler through its awaits. Browsers cannot yet: there this knows the handler until
// its first await, and its own `ConnectionTo` knows it for ever.

/** An item whose handler may have to let go of its connection. */
export interface Holder {
  /** It waits for something that may stand behind it: its connection goes on with the next item. */
  letGo(): void;
}

interface Storage {
  run<R>(value: Holder | undefined, work: () => R): R;
  getStore(): Holder | undefined;
}

/** Until the first await. */
class SyncStorage implements Storage {
  #holder: Holder | undefined;

  run<R>(holder: Holder | undefined, work: () => R): R {
    const before = this.#holder;
    this.#holder = holder;
    try {
      return work();
    } finally {
      this.#holder = before;
    }
  }
  getStore(): Holder | undefined {
    return this.#holder;
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

/** Runs the handler of an item. */
export function runAs<R>(holder: Holder, work: () => R): R {
  return storage.run(holder, work);
}

/** Runs what belongs to no item, though one may have started it. */
export function runAside<R>(work: () => R): R {
  return storage.run(undefined, work);
}

/** The item in whose handler we are. */
export function currentItem(): Holder | undefined {
  return storage.getStore();
}
