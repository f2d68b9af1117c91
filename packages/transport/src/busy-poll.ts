// A message that finds its reader asleep waits for an idle core to wake up, and whoever sends it pays for the waking: on
// virtual machines both take longer than a call. Where the next message is likely to come at once, the runtime is kept
// looking for it. Two processes on two cores of a virtual machine that call each other, one call at a time, in µs:
//
//              Node wall, CPU of the caller    Bun
//   asleep           62   27                   62   28
//   looking          13   12                   16   15
//
// It looks only while small messages keep coming close upon each other: not beside a stream, nor for whoever calls now and
// then. Each time it has looked in vain it takes twice as many until it looks again, so that a peer which cannot answer,
// because others have the cores, is not kept from them: beside a process that takes a whole core the same calls lose 5 %.

/** ms that the next message is looked for, and within which it must have come to be looked for. */
const NEAR = 0.2;
/** Bytes. What comes in larger pieces is a stream's, or takes longer than waking up. */
const SMALL = 4 * 1024;
/** Bytes. Who writes more at once writes a stream, and what comes in small pieces is its credit. */
const LARGE = 16 * 1024;
/** How many have to come near before it looks: at first, and at most. */
const FEWEST = 8;
const MOST = 256;

// The runtime's own, whatever a test puts in its place later: under a clock that stands still it would look for ever.
const now: () => number = /* @__PURE__ */ performance.now.bind(performance);

/** One reader's: says when waiting awake is worth it, by what has come. */
export class BusyPoll {
  readonly #clock: () => number;
  readonly #look: (until: number) => void;
  // When it began to wait.
  #since = Number.NEGATIVE_INFINITY;
  #near = 0;
  #needed: number = FEWEST;

  /**
   * @param clock in ms
   * @param look keeps the runtime polling for input until then
   */
  constructor(clock: () => number = now, look: (until: number) => void = keepLooking) {
    this.#clock = clock;
    this.#look = look;
  }

  /** Something has come; to be called before it is dealt with. */
  came(bytes: number): void {
    const looked = this.#near >= this.#needed;
    if (bytes <= SMALL && this.#clock() - this.#since <= NEAR) {
      this.#near++;
      if (looked) this.#needed = FEWEST;
    } else {
      this.#near = 0;
      if (looked) this.#needed = Math.min(this.#needed * 2, MOST);
    }
  }

  /** So much goes out in one write. */
  wrote(bytes: number): void {
    if (bytes > LARGE) this.#near = 0;
  }

  /** What came has been dealt with. */
  waits(): void {
    this.#since = this.#clock();
    if (this.#near >= this.#needed) this.#look(this.#since + NEAR);
  }
}

interface Runtime {
  readonly setImmediate?: (task: () => void) => unknown;
  readonly navigator?: { readonly hardwareConcurrency?: number };
}
const { setImmediate, navigator } = globalThis as Runtime;
// On one core only the reader's sleep lets the other end run. Browsers have no setImmediate, and Deno does not poll between
// two of them.
const isWorthIt = !("Deno" in globalThis) && (navigator?.hardwareConcurrency ?? 1) > 1;
const soon = isWorthIt ? setImmediate : undefined;

// One loop for all. Each of its turns polls for input: a runtime that has something to do next does not sleep.
let end = 0;
let looking = false;

function keepLooking(until: number): void {
  end = until;
  if (looking || soon === undefined) return;
  looking = true;
  soon(look);
}

function look(): void {
  if (now() < end) soon?.(look);
  else looking = false;
}
