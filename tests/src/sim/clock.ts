/** Virtual time: things happen at their moment, in an order the seed decides where moments are the same. */
import type { Random } from "./random.ts";

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

export class Clock {
  now = 0;
  readonly #random: Random;
  readonly #heap: Timer[] = [];
  #count = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  get next(): number | undefined {
    return this.#heap[0]?.at;
  }

  /** Runs `run` in `ms`; `inOrder` keeps it behind what was asked for earlier. */
  after(ms: number, run: () => void, inOrder = false): void {
    const shuffle = inOrder ? 0 : this.#random.below(1000);
    this.#push({ at: this.now + ms, order: this.#count++ + shuffle / 8, run });
  }

  /** Runs the next thing. */
  step(): void {
    const timer = this.#pop();
    if (timer.at > this.now) this.now = timer.at;
    timer.run();
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let at = heap.push(timer) - 1;
    while (at > 0) {
      const up = (at - 1) >> 1;
      if (!before(timer, heap[up]!)) break;
      heap[at] = heap[up]!;
      at = up;
    }
    heap[at] = timer;
  }

  #pop(): Timer {
    const heap = this.#heap;
    const first = heap[0]!;
    const last = heap.pop()!;
    let at = 0;
    for (let down = 1; down < heap.length; down = 2 * at + 1) {
      if (down + 1 < heap.length && before(heap[down + 1]!, heap[down]!)) down++;
      if (!before(heap[down]!, last)) break;
      heap[at] = heap[down]!;
      at = down;
    }
    if (heap.length > 0) heap[at] = last;
    return first;
  }
}

function before(one: Timer, other: Timer): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}
