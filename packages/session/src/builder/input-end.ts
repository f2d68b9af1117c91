// The peer sends no more: what the builder wants done then, and who waits for it to be done.
import type { Core } from "@sluice/core";
import type { Connection } from "./connection.ts";
import type { ConnectionTo } from "./connection-to.ts";
import { ASIDE, dispatching, runIn, type Dispatching } from "./dispatching.ts";
import { ErrandItem } from "./errand-item.ts";
import type { Item } from "./item.ts";
import { continuation } from "./queue.ts";

export type Closer = (cx: ConnectionTo) => unknown;

/** What a function of onClose threw. */
interface Failure {
  readonly error: unknown;
}

/** `ending`: what waited for the peer fails. `closing`: what has arrived is run, then the closers. */
type State = "open" | "ending" | "closing" | "closed";

export class InputEnd implements Dispatching {
  readonly #connection: Connection;
  readonly #closers: readonly Closer[];
  readonly #grace: number;
  #late: ReturnType<typeof setTimeout> | undefined;
  readonly #waiting: (() => void)[] = [];
  // What the end brings, in order.
  readonly #brought: Item[] = [];
  #state: State = "open";
  #item: Item | undefined;

  /** `grace`: ms that what is still handled has to be answered. */
  constructor(connection: Connection, closers: readonly Closer[], grace: number) {
    this.#connection = connection;
    this.#closers = closers;
    this.#grace = grace;
  }

  get state(): State {
    return this.#state;
  }

  /** It has ended. What this returns is to be called once what waited for the peer has failed, and been brought here. */
  begin(core: Core): () => void {
    if (core.error !== undefined) return () => {}; // we had ended it
    const release = core.holds.take();
    this.#state = "ending";
    // What is not answered in time is answered all the same.
    this.#late = setTimeout(() => this.#connection.letGoOfAll(), this.#grace);
    return () =>
      void this.#run(core).then((failure) => {
        if (failure !== undefined) this.#connection.failed(failure.error);
        release();
        this.close();
      });
  }

  /** The core fails the latest first; here the oldest comes first. */
  bring(item: Item): void {
    this.#brought.unshift(item);
  }

  // O10: once all that came before has been run, what was brought is; then the closers. Returns what the first of them threw.
  async #run({ calls }: Core): Promise<Failure | undefined> {
    if (this.#state === "closed") return undefined; // the end of input was the end of all
    this.#state = "closing";
    const run = new Promise<Failure | undefined>((resolve) => {
      const close = async (): Promise<void> => resolve(await runIn(this, () => this.#runClosers()));
      this.#item = new ErrandItem(this.#connection, "the end of input", close);
    });
    this.#brought.push(this.#item!);
    // What came behind an answer may still wait for the continuation of whoever awaited that.
    while (calls.waiting > 0) await continuation();
    const { queue } = this.#connection;
    runIn(this.#connection, () => {
      for (const item of this.#brought.splice(0)) queue.push(item);
    });
    return run;
  }

  /** One of the closers waits for something. */
  letGo(): void {
    this.#item?.letGo();
  }

  close(): void {
    this.#state = "closed";
    this.#connection.handlers.clear(); // no answer will bring one
    for (const item of this.#brought.splice(0)) item.abandon();
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** The connection is over. */
  over(): void {
    clearTimeout(this.#late);
    this.close();
  }

  /** `own`: the item whose `ConnectionTo` asks. */
  closed(own: Item | undefined): Promise<void> {
    const running = dispatching();
    const isCloser = running === this || (running !== ASIDE && own !== undefined && own === this.#item);
    if (isCloser && this.#state !== "closed")
      return Promise.reject(new Error("incomingClosed() in a function of onClose waits for itself"));
    return this.whenClosed();
  }

  whenClosed(): Promise<void> {
    if (this.#state === "closed") return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  // One after the other, all of them.
  async #runClosers(): Promise<Failure | undefined> {
    const cx = this.#connection.contextOf(this.#item);
    let failure: Failure | undefined;
    for (const close of this.#closers)
      try {
        await close(cx);
      } catch (error) {
        failure ??= { error };
      }
    return failure;
  }
}
