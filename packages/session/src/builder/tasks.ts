// What runs beside the messages of a connection, and ends it where it fails.
import { RefusedError } from "@sluice/core";
import { runAside } from "./dispatching.ts";
import type { Item } from "./item.ts";

export class Tasks {
  readonly #max: number;
  readonly #fail: (error: unknown) => void;
  #running = 0;

  constructor(max: number, fail: (error: unknown) => void) {
    this.#max = max;
    this.#fail = fail;
  }

  get running(): number {
    return this.#running;
  }

  /**
   * Runs `task`, on behalf of `item` if one is given.
   * @throws RefusedError where as many run as may.
   */
  spawn(task: () => unknown, item?: Item, onError: (error: unknown) => void = this.#fail): void {
    if (this.#running >= this.#max)
      throw new RefusedError("limits.pending", `${this.#max} tasks of this connection run`);
    this.#running++;
    item?.begin();
    const run = async (): Promise<void> => {
      try {
        await task();
      } catch (error) {
        this.#tell(onError, error);
      } finally {
        this.#running--;
        item?.end();
      }
    };
    void runAside(run);
  }

  #tell(onError: (error: unknown) => void, error: unknown): void {
    try {
      onError(error);
    } catch (another) {
      this.#fail(another);
    }
  }
}
