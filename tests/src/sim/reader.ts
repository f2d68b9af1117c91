// An application that reads a stream, at once, slowly or never, and checks that what it reads is exactly what comes next.
import { StreamCode, type ReceiveHalf } from "@sluice/streams";
import { differs } from "./content.ts";
import type { End } from "./end.ts";
import type { Random } from "./random.ts";
import type { StreamRecord } from "./record.ts";
import { check } from "./violation.ts";

export class Reader {
  readonly half: ReceiveHalf;
  readonly record: StreamRecord;
  readonly #end: End;
  readonly #random: Random;
  readonly #pace: "at once" | "soon" | "slow" | "never";
  /** Reads until it stops; mostly it does not. */
  #patience: number;
  #stopped = false;
  #scheduled = false;
  #kept: { readonly at: number; readonly bytes: Uint8Array }[] = [];

  constructor(half: ReceiveHalf, record: StreamRecord, end: End, random: Random) {
    this.half = half;
    this.record = record;
    this.#end = end;
    this.#random = random;
    this.#pace = random.pick(["at once", "at once", "soon", "soon", "slow", "never"]);
    this.#patience = random.chance(20) ? random.below(6) : Number.POSITIVE_INFINITY;
    half.onReadable = () => this.#readable();
    this.#readable();
  }

  get isOver(): boolean {
    return this.record.seen !== undefined;
  }

  /** Come to an end soon: the program is over. */
  finish(): void {
    if (this.isOver) return;
    if (this.#pace === "never" && this.#random.chance(50)) return this.stop();
    this.#patience = Number.POSITIVE_INFINITY;
    this.half.onReadable = () => this.#read();
    this.#read();
  }

  stop(): void {
    if (this.isOver) return;
    const { half } = this;
    this.#stopped = true;
    const code = this.#random.pick([0, 1, 1001]);
    this.#end.enter("stop", half.id, () => half.stop(code, this.#random.pick(["", "\u0002".repeat(700)])));
    this.#over();
  }

  #readable(): void {
    if (this.#pace === "at once") return this.#read();
    if (this.#scheduled || (this.#pace === "never" && !this.half.isOver)) return;
    this.#scheduled = true;
    this.#end.world.clock.after(this.#pace === "slow" ? this.#random.below(20) : 0, () => {
      this.#scheduled = false;
      this.#read();
    });
  }

  #read(): void {
    const { half } = this;
    if (this.isOver) return;
    for (let n = this.#pace === "slow" && this.#patience < 100 ? 1 : 1000; n > 0 && half.hasData; n--) {
      if (this.#patience-- <= 0) return this.stop();
      let got: unknown;
      this.#end.enter("read", half.id, () => (got = half.read()));
      if (got !== undefined) this.#took(got);
      if (this.isOver) return;
    }
    if (half.isOver) this.#over();
    else if (half.hasData) this.#readable();
  }

  #took(got: unknown): void {
    const { half, record } = this;
    check(record.read < record.written, "order", `stream ${half.id}: more was read than was written`);
    if (half.of === "items") {
      const text = JSON.stringify(got);
      const due = record.items[record.read]!;
      check(
        text === due,
        "order",
        () => `stream ${half.id} item ${record.read}: ${text?.slice(0, 60)}, not ${due.slice(0, 60)}`,
      );
      record.read++;
      return;
    }
    const bytes = got as Uint8Array;
    check(bytes.length > 0, "order", `stream ${half.id}: an empty chunk`);
    this.#checkBytes(record.read, bytes, "is read");
    if (this.#kept.length < 4 && this.#random.chance(30)) this.#kept.push({ at: record.read, bytes });
    record.read += bytes.length;
    check(record.read <= record.written, "order", `stream ${half.id}: more was read than was written`);
  }

  #checkBytes(at: number, bytes: Uint8Array, when: string): void {
    const wrong = differs(this.half.id, at, bytes);
    check(wrong < 0, "order", `stream ${this.half.id}: byte ${at + wrong} is wrong when it ${when}`);
  }

  #over(): void {
    const { half, record } = this;
    const { error } = half;
    check(half.isOver && !half.hasData, "S12", `stream ${half.id} is not over for its reader`);
    for (const { at, bytes } of this.#kept) this.#checkBytes(at, bytes, "was kept");
    this.#kept = [];
    record.seen = this.#stopped ? "stop" : error === undefined ? "end" : "error";
    this.#end.note(`reader ${record.seen}`, half.id, error?.code ?? 0);
    const { writer } = record;
    if (record.seen === "end") {
      check(writer?.state === "ended", "S7", `stream ${half.id}: an end nobody sent`);
      check(
        record.read === record.written,
        "S7",
        `stream ${half.id}: ${record.read} of ${record.written} before its end`,
      );
    }
    if (error === undefined || error.code === StreamCode.sessionEnded || error.by === "us") return;
    check(writer?.error !== undefined, "S9", `stream ${half.id}: a reset nobody sent`);
    check(
      writer.error.code === error.code,
      "S9",
      `stream ${half.id}: reset with ${error.code}, not ${writer.error.code}`,
    );
  }
}
