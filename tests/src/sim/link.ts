// One direction of the link: it delays, cuts and joins chunks, stalls, fills up, and ends. It never loses or reorders
// what it delivers before its end.
import type { Clock } from "./clock.ts";
import type { Random } from "./random.ts";
import type { Cut, LinkSetup } from "./setup.ts";

export type Chunk = Uint8Array | string;

export interface LinkHost {
  deliver(chunk: Chunk): void;
  /** There is room again. */
  drained(): void;
  /** Nothing more comes: the other end is done. */
  finished(): void;
  /** The cut has come. */
  cut(kind: Cut["kind"]): void;
}

export class Link {
  readonly #setup: LinkSetup;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #host: LinkHost;
  readonly #bytes: boolean;
  readonly #queue: Chunk[] = [];
  #cut: Cut | undefined;
  #onItsWay = 0;
  #passed = 0;
  #stalled = false;
  #calm = false;
  #closed = false;
  #finishing = false;
  #scheduled = false;

  constructor(
    setup: LinkSetup,
    bytes: boolean,
    cut: Cut | undefined,
    clock: Clock,
    random: Random,
    host: LinkHost,
  ) {
    this.#setup = setup;
    this.#bytes = bytes;
    this.#cut = cut;
    this.#clock = clock;
    this.#random = random;
    this.#host = host;
  }

  get isFull(): boolean {
    return this.#onItsWay >= this.#setup.capacity;
  }
  get isClosed(): boolean {
    return this.#closed;
  }
  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  send(chunks: readonly Chunk[]): void {
    if (this.#closed || this.#finishing) return;
    for (const chunk of chunks) {
      this.#queue.push(chunk);
      this.#onItsWay += chunk.length;
    }
    this.#schedule();
  }

  /** What is on its way still arrives, and then its reader hears of the end. */
  finish(): void {
    if (this.#finishing || this.#closed) return;
    this.#finishing = true;
    this.#schedule();
  }

  /** Gone at once, with what was on its way. */
  close(): void {
    this.#closed = true;
    this.#queue.length = 0;
    this.#onItsWay = 0;
  }

  stall(): void {
    if (!this.#calm) this.#stalled = true;
  }
  flow(): void {
    this.#stalled = false;
    this.#schedule();
  }
  /** From now on nothing goes wrong and nothing takes time. */
  calm(): void {
    this.#calm = true;
    this.#cut = undefined;
    this.flow();
  }
  /** It ends now. */
  cutNow(cut: Cut): void {
    this.#cut = { ...cut, after: this.#passed };
    this.flow();
    if (this.#queue.length === 0) this.#end(cut.kind);
  }

  #schedule(): void {
    if (this.#scheduled || this.#closed || this.#stalled) return;
    if (this.#queue.length === 0 && !this.#finishing) return;
    this.#scheduled = true;
    const delay = this.#calm ? 0 : this.#random.below(this.#setup.delay + 1);
    this.#clock.after(delay, () => this.#deliver());
  }

  #deliver(): void {
    this.#scheduled = false;
    if (this.#closed || this.#stalled) return;
    if (this.#queue.length === 0) {
      if (!this.#finishing) return;
      this.#closed = true;
      return this.#host.finished();
    }
    const wasFull = this.isFull;
    const chunk = this.#next();
    this.#onItsWay -= chunk.length;
    const size = this.#bytes ? chunk.length : 1;
    const left = this.#cut === undefined ? size : this.#cut.after - this.#passed;
    this.#passed += size;
    if (left >= size) this.#host.deliver(chunk);
    else {
      if (this.#bytes && left > 0) this.#host.deliver((chunk as Uint8Array).subarray(0, left));
      return this.#end(this.#cut!.kind);
    }
    if (wasFull && !this.isFull && !this.#closed) this.#host.drained();
    this.#schedule();
  }

  #end(kind: Cut["kind"]): void {
    if (this.#closed) return;
    this.close();
    this.#host.cut(kind);
  }

  #next(): Chunk {
    const chunk = this.#queue.shift()!;
    if (!this.#bytes || !this.#random.chance(this.#setup.resegment)) return chunk;
    if (this.#random.chance(30) && this.#queue.length > 0) {
      const joined = join([chunk as Uint8Array, this.#queue.shift() as Uint8Array]);
      return joined;
    }
    if (chunk.length < 2) return chunk;
    const at = this.#random.chance(50)
      ? 1 + this.#random.below(Math.min(16, chunk.length - 1))
      : this.#random.between(1, chunk.length - 1);
    this.#queue.unshift((chunk as Uint8Array).subarray(at));
    return (chunk as Uint8Array).subarray(0, at);
  }
}

export function join(chunks: readonly Uint8Array[]): Uint8Array {
  if (chunks.length === 1) return chunks[0]!;
  const whole = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
