// Handlers that come while the connection runs, and what waits for them.
import type { Limits } from "@sluice/core";
import { Handled } from "../chain.ts";
import type { Connection } from "./connection.ts";
import type { DynamicHandlerGuard } from "./connection-to.ts";
import type { Dispatch } from "./dispatch.ts";
import { runLinks, type DispatchHandler, type Link, type Retry } from "./handler-chain.ts";
import type { DispatchItem } from "./dispatch-item.ts";
import { ErrandItem } from "./errand-item.ts";
import { Parking, type Parked } from "./parking.ts";
import { continuation } from "./queue.ts";

/** ms that an unclaimed message waits for a handler that is still to come. */
const AGE = 10_000;
/** How many such messages wait. Their bytes: `limits.waitingBytes`. */
const COUNT = 1024;

export class DynamicHandlers {
  readonly #connection: Connection;
  readonly #parking: Parking<DispatchItem>;
  #review: "none" | "asked for" = "none";

  constructor(connection: Connection, { waitingBytes }: Limits) {
    this.#connection = connection;
    this.#parking = new Parking({
      count: COUNT,
      bytes: waitingBytes,
      age: AGE,
      giveUp: ({ dispatch, item }, failure) => {
        if (failure === undefined) item.unclaimed(dispatch);
        else item.failed(failure.error);
        item.end();
      },
    });
  }

  /** Works from the next message on; what is parked is offered to it before that. */
  add(handler: DispatchHandler<never>): DynamicHandlerGuard {
    const { chain, queue } = this.#connection;
    let state: "to come" | "in" | "out" = "to come";
    const link: Link = {
      name: "an added handler",
      seesResponses: true,
      handle: (dispatch, cx) => (state === "out" ? Handled.no() : handler(dispatch, cx)),
    };
    const enter = (): void => {
      if (state !== "to come") return;
      state = "in";
      chain.add(link);
    };
    const errand: ErrandItem = new ErrandItem(
      this.#connection,
      "an added handler",
      (): Promise<void> | undefined => {
        if (this.#parking.size > 0) return this.#offerAll(link, errand).then(enter);
        enter();
        return undefined;
      },
      enter,
    );
    if (queue.current === undefined && this.#parking.size === 0) enter();
    else queue.unshift(errand);
    return {
      detach: (): void => {},
      [Symbol.dispose]: (): void => {
        state = "out";
        chain.remove(link);
      },
    };
  }

  park(dispatch: Dispatch, item: DispatchItem, retry: Retry): void {
    item.begin();
    const place = this.#parking.add({ dispatch, item, retry });
    if (dispatch.kind !== "request") return;
    dispatch.responder.onCancel((reason) => {
      if (!this.#parking.remove(place)) return;
      item.failed(reason);
      item.end();
    });
  }

  /** An answer has come: once whoever waited for it has added handlers, what waited for those may wait no longer. */
  review(): void {
    if (this.#parking.size === 0 || this.#review === "asked for") return;
    this.#review = "asked for";
    void continuation().then(() => {
      this.#review = "none";
      const review = (): undefined => this.#parking.review();
      this.#connection.queue.unshift(new ErrandItem(this.#connection, "a review", review));
    });
  }

  /** Nobody comes any more. */
  clear(): void {
    this.#parking.clear();
  }

  async #offerAll(link: Link, errand: ErrandItem): Promise<void> {
    for (const parked of this.#parking.all()) {
      errand.origin = parked.item; // whose `ConnectionTo` it is that may let go
      await this.#offer(parked, link);
    }
  }

  async #offer(parked: Parked<DispatchItem>, link: Link): Promise<void> {
    if (!this.#parking.has(parked)) return; // given up meanwhile
    const { item } = parked;
    if (item.isOver) return this.#parking.remove(parked) ? item.end() : undefined;
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
