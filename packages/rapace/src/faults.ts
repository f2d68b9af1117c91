// What a peer may do wrong without the session ending, and how often. Each fault is cheap for the peer, so past a rate it
// is an attack or a broken peer.
import { SessionError, type Fault } from "@sluice/core";
import { RateBudget } from "@sluice/streams";

export class Faults {
  readonly #budget: RateBudget;
  #count = 0;

  constructor(perSecond: number) {
    this.#budget = new RateBudget(perSecond);
  }

  /** How many there have been. */
  get count(): number {
    return this.#count;
  }

  /** Counts one. An error where it was one too many. */
  fault(fault: Fault, now: number): SessionError | undefined {
    this.#count++;
    if (this.#budget.spend(now)) return undefined;
    const message = `more than ${this.#budget.perSecond} faults a second, the last: ${fault.message}`;
    return new SessionError("limit", "peer", message, { rule: "limits.faults" });
  }
}
