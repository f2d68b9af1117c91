// R11: chunks of channels that nobody has registered yet. A peer opens a tunnel, says its number in an answer and may
// send at once; the number is registered when the answer has been looked at. Until then they wait here, within bounds;
// past a bound the tunnel fails when it is registered, and never has a gap.
import { ForeignRegistry, StreamCode, StreamError, type ForeignHalf } from "@sluice/streams";
import { Remembered } from "./channels.ts";
import type { Limits } from "./limits.ts";

export class Early {
  readonly #limits: Limits;
  readonly #registry: ForeignRegistry<number>;
  readonly #halves: Map<number, ForeignHalf<number>> = new Map();
  readonly #lost: Remembered;

  constructor(limits: Limits) {
    this.#limits = limits;
    this.#registry = new ForeignRegistry(() => {}, { bytes: limits.earlyBytes }); // nothing here pauses
    this.#lost = new Remembered(limits.remembered);
  }

  /** Channels that wait. */
  get size(): number {
    return this.#halves.size;
  }
  get bytes(): number {
    return this.#registry.held;
  }

  /** What has come for this channel, to be read, or added to. */
  for(channel: number): ForeignHalf<number> {
    const known = this.#halves.get(channel);
    if (known !== undefined) return known;
    const half = this.#registry.open(channel, {
      policy: "fail",
      chunks: this.#limits.earlyChunks,
      bytes: this.#limits.earlyBytes,
      overflow: (bound) =>
        `too much came before the channel was registered (limits.${bound === "chunks" ? "earlyChunks" : "earlyBytes"})`,
    });
    if (this.#lost.has(channel)) half.fail(lost());
    this.#halves.set(channel, half);
    if (this.#halves.size > this.#limits.early) this.#forgetOldest();
    return half;
  }

  /** Adds a chunk to what waits; one that is over takes no more. */
  arrive(channel: number, chunk: Uint8Array): void {
    this.for(channel);
    this.#registry.arrive(channel, chunk);
  }

  /** Takes out what has come for a channel; undefined where nothing has. */
  take(channel: number): ForeignHalf<number> | undefined {
    const half = this.#halves.get(channel);
    if (half !== undefined) this.#halves.delete(channel);
    else if (this.#lost.has(channel)) {
      const forgotten = this.for(channel);
      this.#halves.delete(channel);
      this.#lost.delete(channel);
      return forgotten;
    }
    this.#lost.delete(channel);
    return half;
  }

  drop(channel: number): void {
    this.take(channel)?.stop();
  }

  clear(): void {
    for (const channel of this.#halves.keys()) this.drop(channel);
  }

  #forgetOldest(): void {
    const [channel, half] = this.#halves.entries().next().value!;
    this.#halves.delete(channel);
    half.stop();
    this.#lost.add(channel);
  }
}

function lost(): StreamError {
  const message =
    "its first chunks came so long before the channel was registered that they are gone (limits.early)";
  return new StreamError(StreamCode.limit, "us", message);
}
