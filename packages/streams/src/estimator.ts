// What a reader can tell of its link from when data arrives. A writer that has used all its credit stops, and its next
// data comes a round trip after the grant; if the reader has read everything by then, it starved meanwhile. It needs a
// larger window where it starves, and the link can hold more: what flows in a round trip, with room for its ups and downs.
//
// A window larger than that is a queue in front of everything else: over loopback calls beside a stream took 12 ms with
// windows of 16 MiB, and take 0.3 ms with 256 KiB. Starving alone does not tell: two busy processes starve each other.

/** Share of the time, above what is usual, that must have been spent waiting. Some grants in a row must agree. */
const THRESHOLD = 0.2;
const WEIGHT = 1 / 4;
/** What is kept of the rate's past at each grant: the data of one chunk comes at once, and says nothing. */
const PAST = 7 / 8;
/** Round trips of data that a window may hold. */
const ROOM = 3;

export class Estimator {
  #last: number | undefined;
  // Of the recent past, for the rate.
  #bytes = 0;
  #time = 0;
  #waited = 0;
  #flowed = 0;
  #waits = 0;
  #arrivals = 0;
  #share = 0;
  /** ms; the shortest that was seen, as the longer ones are queues. */
  #roundTrip = Number.POSITIVE_INFINITY;
  /** A grant on its way: data beyond `offset` can only come after it. */
  #probe: { readonly offset: number; readonly at: number } | undefined;

  /**
   * Data has arrived.
   * @param offset what had arrived before it
   * @param dry whether the writer had used its credit, and the reader had read all of it
   */
  arrived(offset: number, bytes: number, dry: boolean, now: number): void {
    const gap = now - (this.#last ?? now);
    this.#last = now;
    this.#bytes += bytes;
    this.#arrivals++;
    if (dry) {
      this.#waits++;
      this.#waited += gap;
    } else this.#flowed += gap;
    if (this.#probe === undefined || offset + bytes <= this.#probe.offset) return;
    this.#roundTrip = Math.min(this.#roundTrip, now - this.#probe.at);
    this.#probe = undefined;
  }

  /** A grant goes out; up to `offset` the writer could send without it. */
  granted(offset: number): void {
    // Most often right after an arrival; where it is later, the round trip is taken for longer than it is.
    if (this.#last !== undefined) this.#probe ??= { offset, at: this.#last };
  }

  /** Judges the time since it was asked last. */
  needsMoreThan(size: number): boolean {
    const total = this.#waited + this.#flowed;
    this.#time += total;
    const holds = ROOM * (this.#bytes / this.#time) * this.#roundTrip;
    // Where every arrival has used up the credit, or no time has passed, there is nothing to compare with.
    const known = total > 0 && this.#waits < this.#arrivals;
    const excess = known ? this.#waited / total - this.#waits / this.#arrivals : 1;
    this.#share += (Math.max(0, excess) - this.#share) * WEIGHT;
    this.#bytes *= PAST;
    this.#time *= PAST;
    this.#waited = this.#flowed = this.#waits = this.#arrivals = 0;
    if (this.#share < THRESHOLD || holds < 2 * size) return false;
    this.#share = 0;
    return true;
  }
}
