// Calls by their ids, which only grow. Most are answered while few others have been made: those stand in a ring, where an id
// is its place. One that outlasts a whole round of the ring moves into a Map.
//
// A Map alone would do, and costs more than its 100 ns a call: as entries come and go it makes itself anew, each old table
// holds on to the next one and to the calls it had, and once one of them has grown old they all outlive their time. The
// garbage collector then took a fifth of a client with 64 calls in flight.
import type { OutgoingCall } from "./outgoing.ts";

/** A power of two: a place in the ring is a mask away. */
const ROUND = 256;

export class PendingCalls {
  // Made with the first call: who only answers has none.
  #ring: (OutgoingCall | undefined)[] = [];
  readonly #old: Map<number, OutgoingCall> = new Map();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Its id is above those of all before. */
  add(call: OutgoingCall): void {
    if (this.#ring.length === 0) this.#ring = Array.from({ length: ROUND }, () => undefined);
    const place = call.id & (ROUND - 1);
    const before = this.#ring[place];
    if (before !== undefined) this.#old.set(before.id, before);
    this.#ring[place] = call;
    this.#size++;
  }

  /** Takes out the call with this id; undefined where there is none. */
  take(id: number): OutgoingCall | undefined {
    const place = id & (ROUND - 1);
    const recent = this.#ring[place];
    if (recent?.id === id) {
      this.#ring[place] = undefined;
      this.#size--;
      return recent;
    }
    const old = this.#old.get(id);
    if (old === undefined) return undefined;
    this.#old.delete(id);
    this.#size--;
    return old;
  }

  /** The oldest first. */
  all(): OutgoingCall[] {
    const recent = this.#ring.filter((call) => call !== undefined);
    return [...this.#old.values(), ...recent].toSorted((a, b) => a.id - b.id);
  }

  clear(): void {
    this.#ring = [];
    this.#old.clear();
    this.#size = 0;
  }
}
