/** What happened, as a hash that two runs of one seed must share, and, where asked for, as lines to read. */
export class Trace {
  readonly lines: string[] = [];
  readonly #recording: boolean;
  #hash = 0x811c9dc5;
  #events = 0;

  constructor(recording: boolean) {
    this.#recording = recording;
  }

  get hash(): number {
    return this.#hash >>> 0;
  }
  get events(): number {
    return this.#events;
  }

  /** `more` is only asked for where lines are recorded. */
  note(at: number, who: string, what: string, a = 0, b = 0, more?: () => string): void {
    this.#events++;
    let hash = Math.imul(this.#hash ^ at, 0x01000193);
    hash = Math.imul(hash ^ who.charCodeAt(0), 0x01000193);
    for (let i = 0; i < what.length; i++) hash = Math.imul(hash ^ what.charCodeAt(i), 0x01000193);
    hash = Math.imul(hash ^ a, 0x01000193);
    this.#hash = Math.imul(hash ^ b, 0x01000193);
    if (!this.#recording) return;
    const numbers = b === 0 ? `${a}` : `${a} ${b}`;
    this.lines.push(`${String(at).padStart(5)} ${who} ${what} ${more === undefined ? numbers : more()}`);
  }
}
