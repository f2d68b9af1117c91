import type { TransportError } from "../error.ts";
import type { Chunk, Transport } from "../transport.ts";
import { mismatch, pattern } from "./pattern.ts";

/** Fails the case. */
export function check(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Error(otherwise);
}

/** Lets everything that is due happen: some turns of the event loop, no waiting by the clock. */
export async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise<void>((resolve) => setTimeout(resolve, 0));
}

/** What a case may do when an event comes. It is called after the event was noted. */
export interface Reactions {
  onData?(chunk: Chunk): void;
  onDrain?(): void;
  onEnd?(): void;
}

/** One end of a transport under test: starts it, notes what it says, and holds it to the rules that always apply. */
export class End {
  readonly transport: Transport;
  readonly name: string;
  /** Chunks in the order they came; not kept where `keep` is false. */
  readonly chunks: Chunk[] = [];
  keep = true;
  received = 0;
  drains = 0;
  ends = 0;
  closes = 0;
  error: TransportError | undefined;
  /** Offset up to which `send` has sent. */
  sent = 0;
  /** The first broken rule. It is kept, as an exception in a callback would go to the transport. */
  #broken: string | undefined;
  #waiting: { readonly until: () => boolean; readonly resolve: () => void }[] = [];
  readonly #reactions: Reactions;

  constructor(name: string, transport: Transport, reactions: Reactions = {}) {
    this.name = name;
    this.transport = transport;
    this.#reactions = reactions;
  }

  start(): this {
    this.transport.start({
      onData: (chunk) => {
        this.#note("data", this.ends === 0);
        if (this.transport.unit === "bytes" && chunk.length === 0)
          this.#rule("an empty chunk on a transport of bytes");
        this.received += chunk.length;
        if (this.keep) this.chunks.push(chunk);
        this.#settle();
        this.#reactions.onData?.(chunk);
      },
      onDrain: () => {
        this.#note("drain", true);
        this.drains++;
        this.#settle();
        this.#reactions.onDrain?.();
      },
      onEnd: () => {
        this.#note("end", this.ends === 0);
        this.ends++;
        this.#settle();
        this.#reactions.onEnd?.();
      },
      onClose: (error) => {
        this.#note("close", true);
        this.closes++;
        this.error = error;
        this.#settle();
      },
    });
    return this;
  }

  /** Resolves when the condition holds; it is looked at after every event. A broken rule rejects. */
  async until(condition: () => boolean): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#waiting.push({ until: condition, resolve });
      this.#settle();
    });
    this.verify();
  }

  async closed(): Promise<void> {
    await this.until(() => this.closes > 0);
    await turns();
    this.verify();
  }

  /** Closed without an error. */
  async closedOrderly(): Promise<void> {
    await this.closed();
    check(this.error === undefined, `${this.name} closed with an error: ${this.error?.message}`);
    check(this.ends === 1, `${this.name} closed in order without an end`);
  }

  verify(): void {
    check(this.#broken === undefined, `${this.name}: ${this.#broken}`);
  }

  /** All chunks that came, seen as one run, are the pattern from 0 to `length`. */
  expectPattern(length: number): void {
    check(this.received === length, `${this.name} received ${this.received} of ${length}`);
    let offset = 0;
    for (const chunk of this.chunks) {
      check(typeof chunk !== "string", `${this.name} received text for bytes`);
      const wrong = mismatch(offset, chunk);
      check(wrong < 0, `${this.name} received a wrong byte at ${wrong}`);
      offset += chunk.length;
    }
  }

  /** Sends the pattern on, in chunks of `size`, up to `total` or the first refusal. False where refused. */
  fill(total: number, size: number): boolean {
    while (this.sent < total) {
      const chunk = pattern(this.sent, Math.min(size, total - this.sent));
      this.sent += chunk.length;
      if (!this.transport.write([chunk])) return false;
    }
    return true;
  }

  /** Sends the pattern on up to `total`, also when refused: what was given is accepted. */
  push(total: number, size: number): void {
    while (this.sent < total) this.fill(total, size);
  }

  /** Sends the pattern up to `total`, waiting for `onDrain` whenever the transport is full. */
  async send(total: number, size: number): Promise<void> {
    for (;;) {
      const drains = this.drains;
      if (this.fill(total, size)) return;
      await this.until(() => this.drains > drains || this.closes > 0);
      check(this.closes === 0, `${this.name} closed while sending: ${this.error?.message}`);
    }
  }

  #note(event: string, allowed: boolean): void {
    if (this.closes > 0) this.#rule(`${event} after close`);
    else if (!allowed) this.#rule(`${event} after the end`);
  }

  #rule(broken: string): void {
    this.#broken ??= broken;
  }

  #settle(): void {
    const due = this.#waiting.filter((one) => this.#broken !== undefined || one.until());
    if (due.length === 0) return;
    this.#waiting = this.#waiting.filter((one) => !due.includes(one));
    for (const one of due) one.resolve();
  }
}
