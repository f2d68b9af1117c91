// One run: two ends, a link, a random program, and what must be true when it is over.
import type { Fault, SessionError } from "@sluice/core";
import { Clock } from "./clock.ts";
import { End } from "./end.ts";
import { Link } from "./link.ts";
import { step } from "./program.ts";
import { Random } from "./random.ts";
import { Ledger, type CallRecord } from "./record.ts";
import { setup, type Cut, type Setup } from "./setup.ts";
import { Trace } from "./trace.ts";
import { checkCancels, checkEmpty, checkPromised } from "./verdict.ts";
import { check } from "./violation.ts";
import { WireRules } from "./wire-rules.ts";
import { Wire } from "./wire.ts";

// Parts of a seed.
const SETUP = 1;
const CLOCK = 2;
const END = 10;
const LINK = 20;
const STEP = 1000;
const ACTOR = 100_000;
const CALL = 200_000;

export interface RunOptions {
  readonly seed: number;
  readonly recording?: boolean;
  /** Steps of the program to leave out. */
  readonly without?: ReadonlySet<number>;
}

export class World {
  readonly seed: number;
  readonly setup: Setup;
  readonly clock: Clock;
  readonly trace: Trace;
  readonly ledger: Ledger = new Ledger();
  readonly wire: Wire;
  readonly ends: readonly [End, End];
  /** The program is over: everything comes to its end, and nothing new begins. */
  over = false;
  readonly #without: ReadonlySet<number>;
  // Why a session may end. Without one of these it must not.
  #mayEnd = false;
  #reactions = 0;
  wasCut = false;
  /** L1: answers that were given before their end closed in order. */
  readonly promised: (CallRecord | undefined)[] = [];

  constructor({ seed, recording = false, without = new Set() }: RunOptions) {
    this.seed = seed;
    this.#without = without;
    this.trace = new Trace(recording);
    this.setup = setup(Random.of(seed, SETUP));
    this.clock = new Clock(Random.of(seed, CLOCK));
    const a = new End(0, this, Random.of(seed, END));
    const b = new End(1, this, Random.of(seed, END + 1));
    this.ends = [a, b];
    a.out = this.#link(0);
    b.out = this.#link(1);
    this.wire = new Wire({
      rules: new WireRules({
        trace: this.trace,
        now: () => this.clock.now,
        windows: [a.core.limits.window, b.core.limits.window],
      }),
      greets: a.core.dialect.greets,
      framesFromStart: this.setup.options[0].framesFromStart === true,
      messages: [a.core.limits.message, b.core.limits.message],
    });
  }

  actorRandom(n: number): Random {
    return Random.of(this.seed, ACTOR + n);
  }
  callRandom(token: number): Random {
    return Random.of(this.seed, CALL + token);
  }

  /** Runs to the end. @throws Violation */
  run(): void {
    const { clock, setup, ends } = this;
    for (const end of ends) end.enter("start", 0, () => end.core.start(0));
    for (let n = 0; n < setup.steps; n++) {
      const random = Random.of(this.seed, STEP + n);
      const at = random.below(setup.length);
      if (!this.#without.has(n)) clock.after(at, () => step(this, random));
    }
    this.#until(setup.length);
    this.#epilogue();
  }

  /** Application code that runs inside a callback, and now and then does something there. */
  react(end: End, n: number): void {
    if (this.over || this.#reactions > 20) return;
    const random = Random.of(this.seed, CALL * 2 + n * 2 + end.way);
    if (!random.chance(15)) return;
    this.#reactions++;
    step(this, random, end);
  }

  mayEnd(): void {
    this.#mayEnd = true;
  }

  cut(direction: 0 | 1, kind: Cut["kind"]): void {
    const [writer, reader] = direction === 0 ? this.ends : [this.ends[1], this.ends[0]];
    this.mayEnd();
    this.wasCut = true;
    this.trace.note(this.clock.now, "link", kind, direction);
    if (kind === "fin") {
      this.clock.after(0, () => writer.flush()); // into the void
      return reader.enter("input ended", 0, () => reader.core.inputEnded(this.clock.now));
    }
    for (const end of [reader, writer]) {
      end.lost = true;
      end.out.close();
      const cause = kind === "loss" ? undefined : new Error("the wire is cut");
      end.enter("transport lost", 0, () => end.core.transportLost(cause));
    }
  }

  faulted(end: End, fault: Fault): void {
    if (fault.message.includes("could not be sent")) return;
    if (fault.rule === "limits.waiting") return end.handler.lost();
    check(false, "faults", `${end.name}: ${fault.rule} ${fault.message}`);
  }

  sessionEnded(end: End, error: SessionError): void {
    check(error.code !== "protocol" && error.code !== "limit", "honest", `${end.name}: ${error.message}`);
    const { rule } = error;
    const late = error.code === "timeout" && (rule === "L5" || rule === "C6" || rule === "H");
    check(this.#mayEnd || late, "honest", `${end.name} ended without a reason: ${error.message}`);
    this.mayEnd();
    if (error.by === "us" && end.peer.error === undefined) this.promised.push(...end.handler.answered);
  }

  #link(direction: 0 | 1): Link {
    const [writer, reader] = direction === 0 ? this.ends : [this.ends[1], this.ends[0]];
    const cut = this.setup.cut?.direction === direction ? this.setup.cut : undefined;
    const bytes = this.setup.options[0].unit === "bytes";
    return new Link(
      this.setup.links[direction],
      bytes,
      cut,
      this.clock,
      Random.of(this.seed, LINK + direction),
      {
        deliver: (chunk) =>
          reader.enter("receives", chunk.length, () => reader.core.receive(chunk, this.clock.now)),
        drained: () => writer.flush(),
        finished: () => reader.enter("input ended", 0, () => reader.core.inputEnded(this.clock.now)),
        cut: (kind) => this.cut(direction, kind),
      },
    );
  }

  // Everything that happens before `end`, the cores' own moments among it.
  #until(end: number): void {
    const { clock, ends } = this;
    for (;;) {
      let next = clock.next ?? Number.POSITIVE_INFINITY;
      let due: End | undefined;
      for (const one of ends) {
        const moment = one.core.nextDeadline ?? Number.POSITIVE_INFINITY;
        if (moment <= next) [next, due] = [moment, one];
      }
      if (next >= end) break;
      if (due === undefined) clock.step();
      else {
        clock.now = Math.max(clock.now, next);
        const one = due;
        one.enter("tick", clock.now, () => one.core.tick(clock.now));
        check(
          (one.core.nextDeadline ?? Number.POSITIVE_INFINITY) > clock.now,
          "deadlines",
          "a moment that does not pass",
        );
      }
    }
  }

  // Without the cores' moments: nothing may need one to come to its end.
  #settle(): void {
    for (let n = 0; this.clock.next !== undefined; n++) {
      check(n < 100_000, "stuck", "it does not come to an end");
      this.clock.step();
    }
  }

  #epilogue(): void {
    for (const end of this.ends) end.out.calm();
    this.#settle();
    checkCancels(this);
    this.over = true;
    for (const end of this.ends) end.handler.finish();
    this.#settle();
    for (const end of this.ends) for (const actor of end.actors) actor.finish();
    this.#settle();
    for (const end of this.ends) end.handler.finish();
    this.#settle();
    const [a, b] = this.ends;
    if (a.error === undefined && b.error === undefined) {
      checkEmpty(this, false);
      this.#close(Random.of(this.seed, END + 2));
      this.#settle();
    }
    for (const end of this.ends) check(end.error !== undefined, "stuck", `${end.name} does not end`);
    checkPromised(this);
    checkEmpty(this, true);
  }

  #close(random: Random): void {
    const ends = random.chance(50) ? this.ends : [...this.ends].reverse();
    this.mayEnd();
    const how = random.below(5);
    for (const end of ends) {
      if (how === 0) end.enter("close", 0, () => end.core.close());
      if (how === 1) end.enter("drain", 0, () => end.core.drain("done", this.clock.now));
      if (how > 1)
        end.out.cutNow({
          direction: end.way,
          after: 0,
          kind: (["fin", "loss", "loss with error"] as const)[how - 2]!,
        });
      if (how !== 1 || random.chance(70)) break;
    }
  }
}
