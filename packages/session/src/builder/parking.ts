// What nobody claimed though somebody asked for a retry: it waits for a handler that is still to come, for a while, and as
// much as there is room for. After that it gets what it would have got at once.
import type { Dispatch } from "./dispatch.ts";
import type { Retry } from "./handler-chain.ts";
import type { Item } from "./item.ts";

export interface Parked {
  readonly dispatch: Dispatch;
  readonly item: Item;
  readonly retry: Retry;
}

export interface ParkingOptions {
  /** How many may wait, and their bytes. Beyond: the oldest is given up. */
  readonly count: number;
  readonly bytes: number;
  /** ms one may wait. */
  readonly age: number;
  /** It has waited long enough. */
  giveUp(parked: Parked): void;
}

interface Place extends Parked {
  readonly since: number;
}

export class Parking {
  readonly #options: ParkingOptions;
  readonly #places: Set<Place> = new Set();
  #bytes = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ParkingOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#places.size;
  }

  add(parked: Parked): void {
    const { count, bytes } = this.#options;
    this.#places.add({ ...parked, since: performance.now() });
    this.#bytes += parked.item.size;
    while (this.#places.size > count || (this.#bytes > bytes && this.#places.size > 1)) this.#giveUpOldest();
    this.#startTimer();
  }

  /** The oldest first. One that is claimed is to be removed. */
  all(): readonly Parked[] {
    return [...this.#places];
  }

  /** False where it has been given up meanwhile. */
  remove(parked: Parked): boolean {
    const found = this.#places.delete(parked as Place);
    if (found) this.#bytes -= parked.item.size;
    return found;
  }

  /** Gives up what need not wait any longer. */
  review(): void {
    for (const place of this.#places)
      if (typeof place.retry === "function" && !place.retry() && this.remove(place))
        this.#options.giveUp(place);
  }

  /** Gives up what there is. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#places.size > 0) this.#giveUpOldest();
  }

  #giveUpOldest(): void {
    const [oldest] = this.#places;
    if (oldest !== undefined && this.remove(oldest)) this.#options.giveUp(oldest);
  }

  #startTimer(): void {
    if (this.#timer !== undefined || this.#places.size === 0) return;
    const [oldest] = this.#places;
    const due = oldest!.since + this.#options.age - performance.now();
    this.#timer = setTimeout(this.#expire, Math.max(0, due));
  }

  readonly #expire = (): void => {
    this.#timer = undefined;
    const now = performance.now();
    for (const place of this.#places) {
      if (place.since + this.#options.age > now) break;
      if (this.remove(place)) this.#options.giveUp(place);
    }
    this.#startTimer();
  };
}
