// What a peer may do wrong without the session ending, and how often. Each fault is cheap for the peer, so past a rate
// it is an attack or a broken peer, and the session closes.
import { RateBudget } from "@sluice/streams";
import { SessionError } from "./error.ts";
import type { Limits } from "./limits.ts";

/** One thing the peer did wrong. Holds nothing of its data but what `excerpt` quotes. */
export interface Fault {
  /** The rule that was broken. */
  readonly rule: string;
  readonly message: string;
  /** The start of the offending input, escaped, where the transport says that it may be quoted. */
  readonly excerpt?: string;
}

export class Faults {
  readonly #faults: RateBudget;
  readonly #resets: RateBudget;
  #count = 0;

  constructor(limits: Pick<Limits, "faults" | "resets">) {
    this.#faults = new RateBudget(limits.faults);
    this.#resets = new RateBudget(limits.resets);
  }

  /** How many there have been. */
  get count(): number {
    return this.#count;
  }

  /** Counts one. An error where it was one too many. */
  fault(fault: Fault, now: number): SessionError | undefined {
    this.#count++;
    if (this.#faults.spend(now)) return undefined;
    const message = `more than ${this.#faults.perSecond} faults a second, the last: ${fault.message}`;
    return new SessionError("limit", "peer", message, { rule: "limits.faults" });
  }

  /** C7: counts a stop or reset from the peer. */
  reset(now: number): SessionError | undefined {
    if (this.#resets.spend(now)) return undefined;
    const message = `more than ${this.#resets.perSecond} stops and resets a second`;
    return new SessionError("limit", "peer", `${message} (C7)`, { rule: "C7" });
  }
}
