import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { systemClock } from "./clock.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it.each([2 ** 31, 1e10, Infinity])(
  "a pause of %d ms, which a server may ask for, is a long one",
  async (ms) => {
    const abort = new AbortController();
    let isOver = false;
    const pause = systemClock.pause(ms, abort.signal).then(() => (isOver = true));
    await vi.advanceTimersByTimeAsync(24 * 3600 * 1000);
    expect(isOver).toBe(false);
    abort.abort();
    await pause;
    expect(vi.getTimerCount()).toBe(0);
  },
);
