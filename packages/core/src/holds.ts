/** What keeps a session from ending by itself, as a call that runs does. */
export class Holds {
  readonly #released: () => void;
  #count = 0;

  constructor(released: () => void) {
    this.#released = released;
  }

  get count(): number {
    return this.#count;
  }

  /** Holds until what this returns is called. The deadlines of ending (`limits.grace`, `limits.drain`) hold all the same. */
  take(): () => void {
    this.#count++;
    let holds = 1;
    return () => {
      this.#count -= holds;
      holds = 0;
      this.#released();
    };
  }
}
