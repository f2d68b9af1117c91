// R5: whose channel an id is. The initiator opens odd ones, the acceptor even ones, each two after the last, and none
// twice while it is in use. An id that has been through all of them begins again.
import type { Role } from "@sluice/streams";

/** Ids that are remembered, the oldest forgotten first. */
export class Remembered {
  readonly #ids: Set<number> = new Set();
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#ids.size;
  }
  has(id: number): boolean {
    return this.#ids.has(id);
  }
  add(id: number): void {
    this.#ids.add(id);
    if (this.#ids.size > this.#max) this.#ids.delete(this.#ids.values().next().value!);
  }
  delete(id: number): void {
    this.#ids.delete(id);
  }
}

export class Channels {
  readonly #first: number;
  readonly #inUse: (id: number) => boolean;
  // Given out to be registered later.
  readonly #reserved: Remembered;
  #next: number;
  // How often it has been through all of them.
  #laps = 0;

  /** @param inUse whether an id must not be given out again yet */
  constructor(role: Role, first: number | undefined, remembered: number, inUse: (id: number) => boolean) {
    this.#first = role === "initiator" ? 1 : 2;
    this.#next = first ?? this.#first;
    if (
      !Number.isInteger(this.#next) ||
      this.#next < this.#first ||
      this.#next > MAX ||
      !this.isOurs(this.#next)
    )
      throw new RangeError(
        `firstChannel must be ${role === "initiator" ? "odd" : "even"}, not ${first} (R5)`,
      );
    this.#inUse = inUse;
    this.#reserved = new Remembered(remembered);
  }

  /** The next id of ours; undefined where every single one is in use. */
  allocate(): number | undefined {
    for (let tries = 0; tries <= MOST; tries++) {
      const id = this.#next;
      this.#next += 2;
      if (this.#next > MAX) {
        this.#next = this.#first;
        this.#laps++;
      }
      if (!this.#inUse(id) && !this.#reserved.has(id)) return id;
    }
    return undefined;
  }

  reserve(id: number): void {
    this.#reserved.add(id);
  }
  isReserved(id: number): boolean {
    return this.#reserved.has(id);
  }
  registered(id: number): void {
    this.#reserved.delete(id);
  }

  isOurs(id: number): boolean {
    return id !== 0 && id % 2 === this.#first % 2;
  }

  /** Whether this id of ours has been given out. */
  wasAllocated(id: number): boolean {
    return this.#laps > 0 || id < this.#next;
  }
}

const MAX = 0xffff_ffff;
/** More ids than the limits allow to be in use at once are not looked at in a row. */
const MOST = 1_000_000;
