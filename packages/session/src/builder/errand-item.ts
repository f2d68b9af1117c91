import type { Connection } from "./connection.ts";
import { Item } from "./item.ts";

/** Something of the connection's own that takes its turn. */
export class ErrandItem extends Item {
  readonly label: string;
  readonly #work: () => Promise<void> | undefined;
  readonly #leftBehind: (() => void) | undefined;

  constructor(
    connection: Connection,
    label: string,
    work: () => Promise<void> | undefined,
    leftBehind?: () => void,
  ) {
    super(connection.queue, 0);
    this.label = label;
    this.#work = work;
    this.#leftBehind = leftBehind;
  }

  run(): Promise<void> | undefined {
    return this.#work();
  }

  override leftBehind(): void {
    this.#leftBehind?.();
  }
}
