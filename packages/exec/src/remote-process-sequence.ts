// The events of one process in their order. Output, exit and close are numbered together from 1; notifications of them
// may overtake each other, and come twice: as a notification and in a read. What is early waits, within bounds. Beyond
// them it is let go of, as a read tells it all again. A read tells output one by one and the rest only as facts: the
// numbers it leaves out must be just as many as the facts that are new, or output is missing.
import type { ProcessRead } from "./client-wire.ts";

export type ProcessEvent =
  | {
      readonly kind: "output";
      readonly seq: number;
      readonly stream: "stdout" | "stderr" | "pty";
      readonly chunk: Uint8Array;
    }
  | {
      readonly kind: "exited";
      readonly seq: number;
      readonly exitCode: number;
      readonly sandboxDenied: boolean;
    }
  | { readonly kind: "closed"; readonly seq: number };

export interface SequenceLimits {
  readonly early: number;
  readonly earlyBytes: number;
}

const NONE: readonly ProcessEvent[] = [];

export class ProcessSequence {
  readonly #limits: SequenceLimits;
  readonly #early: Map<number, ProcessEvent> = new Map();
  #earlyBytes = 0;
  #next = 1;
  /** The highest number heard of. */
  #highest = 0;
  /** Numbers of the facts, once known. */
  #exited: number | undefined;
  #closed: number | undefined;
  /** Whether something early was let go of. */
  #kept: "all" | "not all" = "all";

  constructor(limits: SequenceLimits) {
    this.#limits = limits;
  }

  /** The number of the last event that was handed on. */
  get last(): number {
    return this.#next - 1;
  }

  /** Whether only a read can tell what is missing: too much was early, or the end is known and nothing follows it. */
  get needsRead(): boolean {
    if (this.#next > this.#highest) return false;
    return this.#kept === "not all" || (this.#closed !== undefined && this.#closed >= this.#next);
  }

  /** The events whose turn has come with this one. One that is known has no effect. "conflict": it cannot be. */
  push(event: ProcessEvent): readonly ProcessEvent[] | "conflict" {
    const { seq } = event;
    const known = this.#early.get(seq);
    if (known !== undefined) return known.kind === event.kind ? NONE : "conflict";
    if (seq < this.#next) return seq === 0 ? "conflict" : NONE;
    if (!this.#fits(event)) return "conflict";
    this.#highest = Math.max(this.#highest, seq);
    if (event.kind === "exited") this.#exited = seq;
    if (event.kind === "closed") this.#closed = seq;
    if (seq > this.#next) {
      this.#keep(event);
      return NONE;
    }
    this.#next++;
    const ready = [event];
    for (let early = this.#take(); early !== undefined; early = this.#take()) ready.push(early);
    return ready;
  }

  /** As `push`, of all that a read from `last` or before it tells. "gap": output is missing for good. */
  merge(read: ProcessRead): readonly ProcessEvent[] | "gap" | "conflict" {
    const events = new Map<number, ProcessEvent>();
    for (const chunk of read.chunks) {
      if (chunk.seq >= read.nextSeq) return "conflict";
      if (chunk.seq >= this.#next) events.set(chunk.seq, { kind: "output", ...chunk });
    }
    const facts = this.#factsOf(read);
    let missing = read.nextSeq - this.#next - events.size;
    for (const seq of this.#early.keys()) if (seq < read.nextSeq && !events.has(seq)) missing--;
    if (missing > facts.length) return "gap";
    if (missing < facts.length && facts.length > 0) return "conflict"; // output claims the number of a fact
    for (let seq = this.#next; facts.length > 0; seq++)
      if (!events.has(seq) && !this.#early.has(seq)) events.set(seq, facts.shift()!(seq));
    const ready: ProcessEvent[] = [];
    for (const seq of [...events.keys()].sort((a, b) => a - b)) {
      const pushed = this.push(events.get(seq)!);
      if (pushed === "conflict") return pushed;
      for (const event of pushed) ready.push(event);
    }
    if (this.#early.size === 0 && read.nextSeq > this.#highest) this.#kept = "all";
    return ready;
  }

  // Nothing follows the close, there is one exit, and it comes before the close.
  #fits(event: ProcessEvent): boolean {
    if (event.kind === "closed") return this.#closed === undefined && event.seq > this.#highest;
    if (event.kind === "exited" && this.#exited !== undefined) return false;
    return this.#closed === undefined || event.seq < this.#closed;
  }

  /** What the read knows and we do not, in the order in which it must have happened. */
  #factsOf({ exited, exitCode, sandboxDenied, closed }: ProcessRead): ((seq: number) => ProcessEvent)[] {
    const facts: ((seq: number) => ProcessEvent)[] = [];
    if (exited && this.#exited === undefined)
      facts.push((seq) => ({
        kind: "exited",
        seq,
        exitCode: exitCode ?? 0,
        sandboxDenied: sandboxDenied === true,
      }));
    if (closed && this.#closed === undefined) facts.push((seq) => ({ kind: "closed", seq }));
    return facts;
  }

  // The two facts are always kept.
  #keep(event: ProcessEvent): void {
    const bytes = event.kind === "output" ? event.chunk.length : 0;
    const { early, earlyBytes } = this.#limits;
    const fits = this.#early.size < early && this.#earlyBytes + bytes <= earlyBytes;
    if (fits || event.kind !== "output") {
      this.#early.set(event.seq, event);
      this.#earlyBytes += bytes;
    } else this.#kept = "not all";
  }

  #take(): ProcessEvent | undefined {
    const event = this.#early.get(this.#next);
    if (event === undefined) return undefined;
    this.#early.delete(this.#next++);
    if (event.kind === "output") this.#earlyBytes -= event.chunk.length;
    return event;
  }
}
