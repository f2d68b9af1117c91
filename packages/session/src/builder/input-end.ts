// The peer sends no more: what the builder wants done then, and who waits for it to be done.
import type { Connection } from "./connection.ts";
import type { ConnectionTo } from "./connection-to.ts";
import { dispatching, runIn, type Dispatching } from "./dispatching.ts";
import { ErrandItem } from "./items.ts";
import type { Item } from "./item.ts";
import { continuation } from "./queue.ts";

export type Closer = (cx: ConnectionTo) => unknown;

/** `ending`: what waited for the peer fails. `closing`: what has arrived is run, then the closers. */
type State = "open" | "ending" | "closing" | "closed";

export class InputEnd implements Dispatching {
  readonly #connection: Connection;
  readonly #closers: readonly Closer[];
  readonly #waiting: (() => void)[] = [];
  // What the end brings, in order.
  readonly #brought: Item[] = [];
  #state: State = "open";
  #item: Item | undefined;

  constructor(connection: Connection, closers: readonly Closer[]) {
    this.#connection = connection;
    this.#closers = closers;
  }

  get state(): State {
    return this.#state;
  }

  /** It has ended: what fails for it is to be brought here. */
  begin(): void {
    this.#state = "ending";
  }

  bring(item: Item): void {
    this.#brought.push(item);
  }

  /** O10: once all that came before has been run, what was brought is; then the closers. Returns what the first of them threw. */
  async run(holdsBack: () => boolean): Promise<{ readonly error: unknown } | undefined> {
    this.#state = "closing";
    const run = new Promise<{ readonly error: unknown } | undefined>((resolve) => {
      const close = async (): Promise<void> => resolve(await runIn(this, () => this.#runClosers()));
      this.#item = new ErrandItem(this.#connection, "the end of input", close);
    });
    this.bring(this.#item!);
    // What came behind an answer may still wait for the continuation of whoever awaited that.
    while (holdsBack()) await continuation();
    const { queue } = this.#connection;
    runIn(this.#connection, () => {
      for (const item of this.#brought) queue.push(item);
    });
    return run;
  }

  /** One of the closers waits for something. */
  letGo(): void {
    this.#item?.letGo();
  }

  close(): void {
    this.#state = "closed";
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** `own`: the item whose `ConnectionTo` asks. */
  closed(own: Item | undefined): Promise<void> {
    if (this.#state === "closed") return Promise.resolve();
    if (dispatching() === this || (own !== undefined && own === this.#item))
      return Promise.reject(new Error("incomingClosed() in a function of onClose waits for itself"));
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  // One after the other, all of them.
  async #runClosers(): Promise<{ readonly error: unknown } | undefined> {
    const cx = this.#connection.contextOf(this.#item);
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
