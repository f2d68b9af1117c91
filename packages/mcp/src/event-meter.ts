// How large the event is that is being read, counted in bytes before anything is kept. The lines of an event count, and
// one byte for each line end between them, however it is spelt. A comment counts until it is complete: keep-alives may
// come for ever, a comment without an end may not.

const LF = 10;
const CR = 13;
const COLON = 58;

export class EventMeter {
  readonly #most: number;
  #size = 0;
  #line = 0;
  #kind: "field" | "comment" = "field";
  #last: "CR" | "other" = "other";
  #state: "within" | "beyond" = "within";

  constructor(most: number) {
    this.#most = most;
  }

  /** Beyond once an event has more than so many bytes, and from then on. */
  get state(): "within" | "beyond" {
    return this.#state;
  }

  /** How many of these bytes come before the one that is too many. */
  take(bytes: Uint8Array): number {
    if (this.#most === Infinity) return bytes.length;
    if (this.#state === "beyond") return 0;
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i];
      if (byte === LF && this.#last === "CR") {
        this.#last = "other";
        continue;
      }
      this.#last = byte === CR ? "CR" : "other";
      if (byte === CR || byte === LF) {
        this.#endLine();
        continue;
      }
      if (this.#line === 0) this.#kind = byte === COLON ? "comment" : "field";
      this.#line++;
      if (++this.#size <= this.#most) continue;
      this.#state = "beyond";
      return i;
    }
    return bytes.length;
  }

  #endLine(): void {
    if (this.#line === 0) this.#size = 0;
    else if (this.#kind === "comment") this.#size -= this.#line;
    else this.#size++;
    this.#line = 0;
  }
}
