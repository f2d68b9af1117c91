// Looks into one core after every verb: what must hold between its parts at any time.
import type { Observer } from "@sluice/core";
import type { Half, ReceiveHalf } from "@sluice/streams";
import type { End } from "./end.ts";
import { check, fail } from "./violation.ts";

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
    if (core.outbox.bytes > limits.outbox + limits.message)
      fail("L4", `${core.outbox.bytes} bytes in the outbox`);
    for (const half of streams.halves()) {
      if (half.kind === "receive") continue;
      const { sent, granted } = half.window;
      if (sent > granted || half.queued < 0)
        fail("S4", `stream ${half.id}: ${sent} sent of ${granted}, ${half.queued} queued`);
    }
    let unread = 0;
    let grown = 0;
    let cut = false;
    for (const half of this.#reading) {
      const { state, window } = half;
      if (state === "stopping" ? error !== undefined : half.isOver) {
        this.#reading.delete(half);
        continue;
      }
      if (state !== "stopping") unread += window.unread;
      // The parts that a reset or a cut discards are unread for the window, and no more for the session.
      cut ||= half.of === "items" && (state === "failed" || state === "lost");
      if (state === "open") grown += window.size - limits.window;
      // After its end nothing is granted, and what the window counts means nothing.
      if (state === "open" || state === "stopping") this.#checkWindow(half);
    }
    if (grown > limits.unread)
      fail("S6a", `windows have grown by ${grown}, the session's cap is ${limits.unread}`);
    if (error !== undefined) return;
    if (cut ? streams.unread > unread : streams.unread !== unread)
      fail("S14", `${streams.unread} unread counted, are ${unread}`);
  }

  #checkWindow({ id, window }: ReceiveHalf): void {
    const { limits } = this.#end.core;
    const { granted, arrived, unread, size } = window;
    const told = this.#told.get(id) ?? limits.window;
    if (granted !== told) fail("S5", `stream ${id}: counts ${granted} granted, told ${told}`);
    if (arrived > told) fail("S4", `stream ${id}: ${arrived} arrived, granted ${told}`);
    if (unread > size) fail("S6a", `stream ${id}: ${unread} unread, window ${size}`);
    if (told - (arrived - unread) > size) fail("S6", `stream ${id}: granted beyond its window`);
    if (size > Math.max(limits.window, limits.windowMax)) fail("S6a", `stream ${id}: window ${size}`);
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
