// An application that writes a stream: in chunks of any size, at its own pace, until it ends, gives up or lingers.
import type { SendHalf, StreamError } from "@sluice/streams";
import { bytesOf, itemOf, LONGEST_CHUNK } from "./content.ts";
import type { End } from "./end.ts";
import type { Random } from "./random.ts";
import type { StreamRecord } from "./record.ts";
import { check } from "./violation.ts";

const encoder = new TextEncoder();
const MESSAGES = ["enough", "", "\u0001".repeat(600), "漢".repeat(600), "😀".repeat(300)] as const;

export class Writer {
  readonly half: SendHalf;
  readonly record: StreamRecord;
  readonly #end: End;
  readonly #random: Random;
  /** Bytes still to be written. */
  #left: number;
  readonly #most: number;
  readonly #pace: number;
  readonly #last: "end" | "reset" | "linger";
  #waiting = false;
  #scheduled = false;
  #over = 0;

  constructor(half: SendHalf, record: StreamRecord, end: End, random: Random) {
    this.half = half;
    this.record = record;
    this.#end = end;
    this.#random = random;
    const many = end.world.setup.kind === "streams" && random.chance(60);
    const window = end.core.peer?.window ?? 0;
    this.#left = random.chance(10)
      ? 0
      : many
        ? random.below(12 * Math.min(window, 16_384))
        : random.size(5000);
    // Large chunks as often as small ones, but not thousands of them.
    this.#most = Math.min(LONGEST_CHUNK, Math.max(1, random.size(this.#left), Math.ceil(this.#left / 60)));
    this.#pace = random.pick([0, 0, 1, 10]);
    this.#last = random.pick(["end", "end", "end", "reset", "linger"]);
    half.onOver = (error) => this.#isOver(error);
    half.onRoom = () => this.#room();
    this.#schedule(0);
  }

  get isOver(): boolean {
    return this.half.isOver;
  }

  /** Come to an end soon: the program is over. */
  finish(): void {
    this.#left = 0;
    if (!this.half.isOver) this.#terminate();
  }

  reset(): void {
    const { half } = this;
    const code = this.#random.pick([0, 1, 4, 1000, 4711]);
    const data = this.#random.pick([undefined, undefined, { why: "漢".repeat(480) }, 7n, "x".repeat(5000)]);
    this.#end.enter("reset", half.id, () => half.reset(code, this.#random.pick(MESSAGES), "us", { data }));
  }

  #schedule(ms: number): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#end.world.clock.after(ms, () => {
      this.#scheduled = false;
      this.#write();
    });
  }

  #room(): void {
    this.#waiting = false;
    if (!this.half.isOver) this.#schedule(0);
  }

  #write(): void {
    const { half } = this;
    if (half.isOver || this.#waiting) return;
    for (let n = this.#random.between(1, 5); n > 0 && this.#left > 0; n--) {
      const size = Math.min(this.#left, this.#random.between(1, this.#most));
      this.#left -= size;
      let room = true;
      this.#end.enter("write", half.id, () => (room = this.#chunk(size)));
      if (half.isOver) return;
      // One in ten writers does not wait when asked to.
      this.#waiting = !room && !this.#random.chance(10);
      if (this.#waiting) return;
    }
    if (this.#left > 0) this.#schedule(this.#pace);
    else if (this.#last !== "linger") this.#terminate();
  }

  #chunk(size: number): boolean {
    const { half, record } = this;
    if (half.of === "bytes") {
      const chunk = bytesOf(half.id, record.written, size);
      record.written += size;
      return half.write(chunk);
    }
    const text = itemOf(half.id, record.written, size, this.#random);
    record.items.push(text);
    record.written++;
    return half.write(encoder.encode(text));
  }

  #terminate(): void {
    if (this.half.isOver) return;
    if (this.#last === "reset") return this.reset();
    this.#end.enter("end", this.half.id, () => this.half.end());
  }

  #isOver(error: StreamError | undefined): void {
    check(++this.#over === 1, "once", `the writer of stream ${this.half.id} was told twice that it is over`);
    this.#end.note("writer over", this.half.id, error?.code ?? -1);
    check(this.half.queued === 0, "stats", "a writer that is over still queues");
  }
}
