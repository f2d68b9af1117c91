/**
 * So many events a second, with a burst of as many again allowed from rest. Time is given, in milliseconds.
 * A bucket of tokens: full at the start, refilled evenly.
 */
export class RateBudget {
  readonly perSecond: number;
  #tokens: number;
  #at = 0;

  constructor(perSecond: number) {
    this.perSecond = perSecond;
    this.#tokens = perSecond;
  }

  /** Spends one; false when there is none left. */
  spend(now: number): boolean {
    const since = Math.max(0, now - this.#at);
    this.#at = Math.max(this.#at, now);
    this.#tokens = Math.min(this.perSecond, this.#tokens + (since * this.perSecond) / 1000);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}

/** An amount that many share and give back. */
export class SharedBudget {
  readonly total: number;
  #used = 0;

  constructor(total: number) {
    this.total = total;
  }

  get used(): number {
    return this.#used;
  }

  /** All of `amount`, or nothing. */
  claim(amount: number): boolean {
    if (this.#used + amount > this.total) return false;
    this.#used += amount;
    return true;
  }

  giveBack(amount: number): void {
    this.#used -= amount;
  }
}
