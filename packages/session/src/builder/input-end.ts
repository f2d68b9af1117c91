// The peer sends no more: what the builder wants done then, and who waits for it to be done.
import type { Connection } from "./connection.ts";
import type { ConnectionTo } from "./connection-to.ts";
import { currentItem } from "./current-item.ts";
import { EndItem } from "./items.ts";

export type Closer = (cx: ConnectionTo) => unknown;

export class InputEnd {
  readonly #connection: Connection;
  readonly #closers: readonly Closer[];
  readonly #waiting: (() => void)[] = [];
  #state: "open" | "closing" | "closed" = "open";
  #item: EndItem | undefined;

  constructor(connection: Connection, closers: readonly Closer[]) {
    this.#connection = connection;
    this.#closers = closers;
  }

  get state(): "open" | "closing" | "closed" {
    return this.#state;
  }

  /** It has ended: once all that came before has been run, the closers are. `then` is told what the first of them threw. */
  begin(then: (failure: { readonly error: unknown } | undefined) => void): EndItem {
    this.#state = "closing";
    this.#item = new EndItem(this.#connection, async () => {
      const failure = await this.#runClosers();
      then(failure);
      this.close();
    });
    return this.#item;
  }

  close(): void {
    this.#state = "closed";
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  closed(): Promise<void> {
    if (this.#state === "closed") return Promise.resolve();
    if (this.#item !== undefined && currentItem() === this.#item)
      return Promise.reject(new Error("incomingClosed() in a function of onClose waits for itself"));
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  // One after the other, all of them.
  async #runClosers(): Promise<{ readonly error: unknown } | undefined> {
    const cx = this.#connection.contextOf(undefined);
    let failure: { readonly error: unknown } | undefined;
    for (const close of this.#closers)
      try {
        await close(cx);
      } catch (error) {
        failure ??= { error };
      }
    return failure;
  }
}
