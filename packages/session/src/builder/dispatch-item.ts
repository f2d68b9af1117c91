import type { Connection } from "./connection.ts";
import type { Line } from "./connection-to.ts";
import type { Dispatch } from "./dispatch.ts";
import { asks, type Passed } from "./handler-chain.ts";
import { Item } from "./item.ts";

/** An item that goes down the handler chain. */
export abstract class DispatchItem extends Item implements Line {
  readonly connection: Connection;

  constructor(connection: Connection, size: number, origin?: Item) {
    super(connection.queue, size, origin);
    this.connection = connection;
  }

  get item(): Item {
    return this;
  }
  /** Whether it needs no handler any more. */
  get isOver(): boolean {
    return false;
  }
  /** What becomes of it where nobody claimed it. */
  abstract unclaimed(dispatch: Dispatch): void;
  /** A handler threw. */
  abstract failed(error: unknown): void;

  protected runChain(dispatch: Dispatch): Promise<void> | undefined {
    const { connection } = this;
    try {
      const passed = connection.chain.run(dispatch, connection.role.contextOf(this));
      if (!(passed instanceof Promise)) return this.#passed(passed);
      return passed.then(
        (settled) => this.#passed(settled),
        (error: unknown) => this.failed(error),
      );
    } catch (error) {
      this.failed(error);
      return undefined;
    }
  }

  #passed(passed: Passed | undefined): undefined {
    if (passed === undefined) return undefined;
    const { dispatch, retry } = passed;
    try {
      if (!this.isOver && asks(retry)) this.connection.handlers.park(dispatch, this, retry);
      else this.unclaimed(dispatch);
    } catch (error) {
      this.failed(error);
    }
    return undefined;
  }
}
