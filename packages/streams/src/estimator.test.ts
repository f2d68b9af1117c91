import { describe, expect, it } from "vitest";
import { SharedBudget } from "./budget.ts";
import { ReceiveWindow } from "./window.ts";

const KIB = 1024;

/** A writer, a reader that reads at once, and a link between them: ms there, ms back, ms for each 64 KiB, and a pause now and then. */
function carry(
  bytes: number,
  link: { there: number; back: number; per64: number; busy?: number },
): ReceiveWindow {
  const window = new ReceiveWindow(256 * KIB, {
    max: 16 * KIB * KIB,
    budget: new SharedBudget(64 * KIB * KIB),
  });
  let sent = 0;
  let busyUntil = 0;
  let credit = 256 * KIB;
  const grants: { at: number; offset: number }[] = [];
  let now = 0;
  while (sent < bytes) {
    while (grants.length > 0 && grants[0]!.at <= now) credit = grants.shift()!.offset;
    if (sent === credit) {
      now = grants[0]!.at; // the writer waits
      continue;
    }
    const chunk = Math.min(64 * KIB, credit - sent);
    sent += chunk;
    now += (link.per64 * chunk) / (64 * KIB);
    if (link.busy !== undefined && sent % (3 * 256 * KIB) === 0) now += link.busy;
    const arrives = Math.max(now + link.there, busyUntil);
    busyUntil = arrives;
    expect(window.arrive(chunk, arrives)).toBe(true);
    const offset = window.read(chunk);
    if (offset !== undefined) grants.push({ at: arrives + link.back, offset });
  }
  return window;
}

describe("a window", () => {
  it("S6: grows until the link is full where a round trip is long", () => {
    // 64 KiB a ms for 50 ms are 3.2 MiB on the way.
    const { size } = carry(512 * KIB * KIB, { there: 25, back: 25, per64: 1 });
    expect(size).toBeGreaterThanOrEqual(4 * KIB * KIB);
  });

  it("S6: stays as it is where data comes as fast as it is read", () => {
    const { size } = carry(512 * KIB * KIB, { there: 0.02, back: 0.02, per64: 0.1 });
    expect(size).toBe(256 * KIB);
  });

  it("S6: stays as it is where the writer is slow and not the link", () => {
    const { size } = carry(64 * KIB * KIB, { there: 1, back: 1, per64: 50 });
    expect(size).toBe(256 * KIB);
  });

  it("S6: stays as it is where both ends are busy with other things half of the time, and the link is short", () => {
    const { size } = carry(256 * KIB * KIB, { there: 0.02, back: 0.02, per64: 0.1, busy: 5 });
    expect(size).toBeLessThanOrEqual(512 * KIB);
  });

  it("S6: does not grow for one pause among many", () => {
    const window = new ReceiveWindow(256 * KIB, {
      max: 16 * KIB * KIB,
      budget: new SharedBudget(64 * KIB * KIB),
    });
    for (let at = 0, now = 0; at < 4000; at++) {
      now += at % 64 === 0 ? 10 : 0.1;
      window.arrive(64 * KIB, now);
      window.read(64 * KIB);
    }
    expect(window.size).toBe(256 * KIB);
  });
});
