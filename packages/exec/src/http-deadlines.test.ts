import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Deadlines } from "./http-deadlines.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("the deadlines of a request", () => {
  it.each([2 ** 31, 3e9, Number.MAX_SAFE_INTEGER, Infinity])("of %d ms are not over in a day", (ms) => {
    const deadlines = new Deadlines({ url: "http://x/", timeouts: { total: ms, headers: ms, idle: ms } });
    deadlines.arrived();
    deadlines.waiting();
    vi.advanceTimersByTime(24 * 3600 * 1000);
    expect(deadlines.signal.aborted).toBe(false);
    deadlines.end();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("are over on time", () => {
    for (const which of ["total", "headers"] as const) {
      const deadlines = new Deadlines({ url: "http://x/", timeouts: { [which]: 10 } });
      vi.advanceTimersByTime(9);
      expect(deadlines.signal.aborted).toBe(false);
      vi.advanceTimersByTime(1);
      expect(deadlines.signal.reason).toMatchObject({ kind: "timeout" });
    }
  });
});
