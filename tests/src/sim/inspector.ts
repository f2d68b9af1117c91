// Looks into one core after every verb: what must hold between its parts at any time.
import type { Observer } from "@sluice/core";
import type { Half, ReceiveHalf } from "@sluice/streams";
import type { End } from "./end.ts";
import { check } from "./violation.ts";

export class Inspector implements Observer {
  readonly #end: End;
  /** Every half there has been. */
  readonly halves: Half[] = [];
  readonly #reading: Set<ReceiveHalf> = new Set();
  /** The last grant of each stream we read. */
  readonly #told: Map<number, number> = new Map();

  constructor(end: End) {
    this.#end = end;
  }

  stream(event: "open" | "over", half: Half): void {
    this.#end.note(`stream ${event}`, half.id);
    if (event === "over") return;
    this.halves.push(half);
    const record = this.#end.world.ledger.stream(half.id, half.of);
    if (half.kind === "send") record.writer = half;
    else {
      record.reader = half;
      this.#reading.add(half);
    }
  }

  credit(direction: "in" | "out", id: number, offset: number): void {
    if (direction === "out") this.#told.set(id, offset);
  }

  inspect(): void {
    const { core, error } = this.#end;
    const { limits, streams } = core;
    check(
      core.outbox.bytes <= limits.outbox + limits.message,
      "L4",
      `${core.outbox.bytes} bytes in the outbox`,
    );
    for (const half of streams.halves()) {
      if (half.kind === "receive") continue;
      check(half.window.sent <= half.window.granted, "S4", `stream ${half.id}: sent beyond its credit`);
      check(half.queued >= 0, "stats", `stream ${half.id}: ${half.queued} bytes queued`);
    }
    let unread = 0;
    let grown = 0;
    let cut = false;
    for (const half of this.#reading) {
      if (half.isOver && half.state !== "stopping") {
        this.#reading.delete(half);
        continue;
      }
      const { window } = half;
      cut ||= half.of === "items" && (half.state === "failed" || half.state === "lost");
      if (half.state === "stopping") {
        if (error !== undefined) this.#reading.delete(half);
      } else unread += window.unread;
      // After its end nothing is granted, and what the window counts means nothing.
      if (half.state !== "open" && half.state !== "stopping") continue;
      const told = this.#told.get(half.id) ?? limits.window;
      check(
        window.granted === told,
        "S5",
        `stream ${half.id}: counts ${window.granted} granted, told ${told}`,
      );
      check(
        window.unread <= window.size,
        "S6a",
        `stream ${half.id}: ${window.unread} unread, window ${window.size}`,
      );
      check(window.arrived <= told, "S4", `stream ${half.id}: ${window.arrived} arrived, granted ${told}`);
      check(
        window.size <= Math.max(limits.window, limits.windowMax),
        "S6a",
        `stream ${half.id}: window ${window.size}`,
      );
      check(
        told - (window.arrived - window.unread) <= window.size,
        "S6",
        `stream ${half.id}: granted beyond its window`,
      );
    }
    check(
      grown <= limits.unread,
      "S6a",
      `windows have grown by ${grown}, the session's cap is ${limits.unread}`,
    );
    if (error !== undefined) return;
    // The parts that a reset or a cut discards are unread for the window, and no more for the session.
    const holds = cut ? streams.unread <= unread : streams.unread === unread;
    check(holds, "S14", `${streams.unread} unread counted, are ${unread}`);
  }

  /** Nothing is left. */
  empty(closed: boolean): void {
    const { core, name } = this.#end;
    for (const [what, n] of Object.entries(core.stats()))
      if (what !== "faults") check(n === 0, "stats", `${name} has ${what} ${n}`);
    // What nobody had taken when the session ended is nobody's to release.
    for (const half of this.halves)
      check(
        half.isOver || (closed && !half.taken),
        "leak",
        `${name}: stream ${half.id} (${half.kind}, ${half.state}) is not over`,
      );
    if (!closed) return;
    check(core.nextDeadline === undefined, "deadlines", `${name} still waits for a moment`);
  }
}
