// Whether a stream waits for credit, told from when its data arrives. A writer that has used all its credit stops, and
// its next data comes a round trip after the grant; if the reader has read everything by then, it starved meanwhile.
// A window that grows without need fills the buffers between the two ends, and everything else waits behind it: over
// loopback calls beside a stream took 12 ms with windows of 16 MiB, and take 0.3 ms with those of 256 KiB.

/** Share of the time, above what is usual, that must have been spent waiting. Some grants in a row must agree. */
const THRESHOLD = 0.2;
const WEIGHT = 1 / 4;

export class Starvation {
  #last: number | undefined;
  #waited = 0;
  #flowed = 0;
  #waits = 0;
  #arrivals = 0;
  #share = 0;

  /** @param dry whether the writer had used its credit, and the reader had read all of it, before this arrived */
  arrive(dry: boolean, now: number): void {
    const gap = now - (this.#last ?? now);
    this.#last = now;
    this.#arrivals++;
    if (dry) {
      this.#waits++;
      this.#waited += gap;
    } else this.#flowed += gap;
  }

  /** Judges the time since it was asked last. */
  starves(): boolean {
    const total = this.#waited + this.#flowed;
    // Where every arrival has used up the credit, or no time has passed, there is nothing to compare with.
    const known = total > 0 && this.#waits < this.#arrivals;
    const excess = known ? this.#waited / total - this.#waits / this.#arrivals : 1;
    this.#share += (Math.max(0, excess) - this.#share) * WEIGHT;
    this.#waited = this.#flowed = this.#waits = this.#arrivals = 0;
    if (this.#share < THRESHOLD) return false;
    this.#share = 0;
    return true;
  }
}
