/**
 * A queue in a ring: nothing moves, and one that fills and empties allocates nothing. An array's `shift` moves its
 * entries, and an array that is emptied gives its memory back and takes it again.
 */
export class Deque<T> {
  #ring: (T | undefined)[] = EMPTY as (T | undefined)[];
  #head = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(item: T): void {
    if (this.#length === this.#ring.length) this.#grow();
    this.#ring[(this.#head + this.#length++) & (this.#ring.length - 1)] = item;
  }

  /** Puts an item back in front. */
  unshift(item: T): void {
    if (this.#length === this.#ring.length) this.#grow();
    this.#head = (this.#head - 1) & (this.#ring.length - 1);
    this.#ring[this.#head] = item;
    this.#length++;
  }

  peek(): T | undefined {
    return this.#length === 0 ? undefined : this.#ring[this.#head];
  }

  last(): T | undefined {
    return this.#length === 0
      ? undefined
      : this.#ring[(this.#head + this.#length - 1) & (this.#ring.length - 1)];
  }

  /** Puts `item` in the place of the last one, which must be there. */
  replaceLast(item: T): void {
    this.#ring[(this.#head + this.#length - 1) & (this.#ring.length - 1)] = item;
  }

  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const item = this.#ring[this.#head];
    this.#ring[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#ring.length - 1);
    // A burst's memory is given back.
    if (--this.#length === 0 && this.#ring.length > KEPT) this.clear();
    return item;
  }

  clear(): void {
    this.#ring = EMPTY as (T | undefined)[];
    this.#head = 0;
    this.#length = 0;
  }

  #grow(): void {
    const size = Math.max(SMALLEST, 2 * this.#ring.length);
    const ring = Array.from({ length: size }, (): T | undefined => undefined);
    for (let i = 0; i < this.#length; i++) ring[i] = this.#ring[(this.#head + i) & (this.#ring.length - 1)];
    this.#ring = ring;
    this.#head = 0;
  }
}

const EMPTY: readonly undefined[] = [];
/** Powers of two: a place in the ring is a mask away. */
const SMALLEST = 8;
const KEPT = 1024;
