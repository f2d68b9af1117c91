// Everything that waits for a moment. A timer of the runtime costs up to 2 µs to set and clear, so a session has one,
// for the earliest of these. Moments fall into buckets of 1 ms: cancelling takes the entry out of its bucket at once.

export interface Deadline {
  readonly at: number;
  readonly fire: (now: number) => void;
}

export class Deadlines {
  readonly #buckets: Map<number, Set<Deadline>> = new Map();
  // Bucket keys, as a binary heap; an emptied bucket stays until its moment.
  readonly #heap: number[] = [];

  /** The earliest moment, in ms; undefined where nothing waits. */
  get next(): number | undefined {
    for (let key = this.#heap[0]; key !== undefined; key = this.#heap[0]) {
      if (this.#buckets.get(key)!.size > 0) return key;
      this.#buckets.delete(key);
      this.#pop();
    }
    return undefined;
  }

  /** Calls `fire` once `run` is given a time of `at` or later. A moment of infinity never comes. */
  add(at: number, fire: (now: number) => void): Deadline {
    const deadline: Deadline = { at: Math.ceil(at), fire };
    if (deadline.at === Number.POSITIVE_INFINITY) return deadline;
    const bucket = this.#buckets.get(deadline.at);
    if (bucket !== undefined) bucket.add(deadline);
    else {
      this.#buckets.set(deadline.at, new Set([deadline]));
      this.#push(deadline.at);
    }
    return deadline;
  }

  cancel(deadline: Deadline | undefined): void {
    if (deadline !== undefined) this.#buckets.get(deadline.at)?.delete(deadline);
  }

  /** Fires what is due, earliest first. What is added meanwhile and due is fired too. */
  run(now: number): void {
    for (let key = this.next; key !== undefined && key <= now; key = this.next) {
      const bucket = this.#buckets.get(key)!;
      for (const deadline of bucket) {
        bucket.delete(deadline);
        deadline.fire(now);
      }
    }
  }

  clear(): void {
    for (const bucket of this.#buckets.values()) bucket.clear(); // `run` may be in the middle of one
    this.#buckets.clear();
    this.#heap.length = 0;
  }

  #push(key: number): void {
    const heap = this.#heap;
    let at = heap.push(key) - 1;
    while (at > 0) {
      const up = (at - 1) >> 1;
      if (heap[up]! <= key) break;
      heap[at] = heap[up]!;
      at = up;
    }
    heap[at] = key;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let down = 2 * at + 1;
      if (down >= heap.length) break;
      if (down + 1 < heap.length && heap[down + 1]! < heap[down]!) down++;
      if (heap[down]! >= last) break;
      heap[at] = heap[down]!;
      at = down;
    }
    heap[at] = last;
  }
}
