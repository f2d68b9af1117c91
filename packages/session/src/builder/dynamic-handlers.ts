// Handlers that come while the connection runs, and what waits for them.
import type { Limits } from "@sluice/core";
import type { Connection } from "./connection.ts";
import type { DynamicHandlerGuard } from "./connection-to.ts";
import type { Dispatch } from "./dispatch.ts";
import { runLinks, type DispatchHandler, type Link, type Retry } from "./handler-chain.ts";
import { OfferItem, type DispatchItem } from "./items.ts";
import { Parking, type Parked } from "./parking.ts";

/** ms that an unclaimed message waits for a handler that is still to come. */
const AGE = 10_000;
/** How many such messages wait. Their bytes: `limits.waitingBytes`. */
const COUNT = 1024;

export class DynamicHandlers {
  readonly #connection: Connection;
  readonly #parking: Parking;

  constructor(connection: Connection, { waitingBytes }: Limits) {
    this.#connection = connection;
    this.#parking = new Parking({
      count: COUNT,
      bytes: waitingBytes,
      age: AGE,
      giveUp: ({ dispatch, item }) => {
        (item as DispatchItem).unclaimed(dispatch);
        item.end();
      },
    });
  }

  /** Works from now on; what is parked is offered to it before anything new. */
  add(handler: DispatchHandler<never>): DynamicHandlerGuard {
    const { chain, queue } = this.#connection;
    const added = { state: "in" as "in" | "out" };
    const link: Link = {
      name: "an added handler",
      seesResponses: true,
      handle: (dispatch, cx) => (added.state === "in" ? handler(dispatch, cx) : { handled: false }),
    };
    const parked = this.#parking.all();
    if (parked.length === 0) chain.add(link);
    else
      queue.unshift(
        new OfferItem(this.#connection, async () => {
          for (const one of parked) await this.#offer(one, link);
          if (added.state === "in") chain.add(link);
        }),
      );
    return {
      detach: (): void => {},
      [Symbol.dispose]: (): void => {
        added.state = "out";
        chain.remove(link);
      },
    };
  }

  park(dispatch: Dispatch, item: DispatchItem, retry: Retry): void {
    item.begin();
    this.#parking.add({ dispatch, item, retry });
  }

  /** An answer has come: what waited for it may wait no longer. */
  review(): void {
    if (this.#parking.size > 0) this.#parking.review();
  }

  /** Nobody comes any more. */
  clear(): void {
    this.#parking.clear();
  }

  async #offer(parked: Parked, link: Link): Promise<void> {
    const item = parked.item as DispatchItem;
    const cx = this.#connection.contextOf(item);
    try {
      const passed = await runLinks([link], parked.dispatch, cx);
      if (passed !== undefined) return; // stays where it is
      if (this.#parking.remove(parked)) item.end();
    } catch (error) {
      if (!this.#parking.remove(parked)) return;
      item.failed(error);
      item.end();
    }
  }
}
