// What nobody claimed though somebody asked for a retry: it waits for a handler that is still to come, for a while, and as
// much as there is room for. After that it gets what it would have got at once.
import type { Dispatch } from "./dispatch.ts";
import { asks, type Retry } from "./handler-chain.ts";
import type { Item } from "./item.ts";

export interface Parked<I extends Item = Item> {
  readonly dispatch: Dispatch;
  readonly item: I;
  readonly retry: Retry;
}

export interface ParkingOptions<I extends Item> {
  /** How many may wait, and their bytes. Beyond: the oldest is given up. */
  readonly count: number;
  readonly bytes: number;
  /** ms one may wait. */
  readonly age: number;
  /** It has waited long enough; or what it waits for could not be told, and the failure says why. */
  giveUp(parked: Parked<I>, failure?: { readonly error: unknown }): void;
}

interface Place<I extends Item> extends Parked<I> {
  readonly since: number;
}

export class Parking<I extends Item = Item> {
  readonly #options: ParkingOptions<I>;
  readonly #places: Set<Place<I>> = new Set();
  #bytes = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ParkingOptions<I>) {
    this.#options = options;
  }

  get size(): number {
    return this.#places.size;
  }

  /** Returns what it is known by here. */
  add(parked: Parked<I>): Parked<I> {
    const { count, bytes } = this.#options;
    const place = { ...parked, since: performance.now() };
    this.#places.add(place);
    this.#bytes += parked.item.size;
    while (this.#places.size > count || (this.#bytes > bytes && this.#places.size > 1)) this.#giveUpOldest();
    this.#startTimer();
    return place;
  }

  /** The oldest first. One that is claimed is to be removed. */
  all(): readonly Parked<I>[] {
    return [...this.#places];
  }

  /** Whether it still waits. */
  has(parked: Parked<I>): boolean {
    return this.#places.has(parked as Place<I>);
  }

  /** False where it has been given up meanwhile. */
  remove(parked: Parked<I>): boolean {
    const found = this.#places.delete(parked as Place<I>);
    if (found) this.#bytes -= parked.item.size;
    return found;
  }

  /** Gives up what need not wait any longer. */
  review(): undefined {
    for (const place of this.#places)
      try {
        if (!asks(place.retry) && this.remove(place)) this.#options.giveUp(place);
      } catch (error) {
        if (this.remove(place)) this.#options.giveUp(place, { error });
      }
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
