import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Deadlines } from "./http-deadlines.ts";
import { HttpError } from "./http-error.ts";

const url = "http://x/";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("the deadlines of a request", () => {
  it.each([2 ** 31, 3e9, Number.MAX_SAFE_INTEGER, Infinity])("of %d ms are not over in a day", (ms) => {
    const deadlines = new Deadlines({ url, timeouts: { total: ms, headers: ms, idle: ms } });
    deadlines.arrived();
    deadlines.waiting();
    vi.advanceTimersByTime(24 * 3600 * 1000);
    expect(deadlines.signal.aborted).toBe(false);
    deadlines.end();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("are over on time", () => {
    for (const which of ["total", "headers"] as const) {
      const deadlines = new Deadlines({ url, timeouts: { [which]: 10 } });
      vi.advanceTimersByTime(9);
      expect(deadlines.signal.aborted).toBe(false);
      vi.advanceTimersByTime(1);
      expect(deadlines.signal.reason).toMatchObject({ kind: "timeout" });
    }
  });

  it("timeouts.idle counts while a piece of the body is waited for, and not before the headers", () => {
    const deadlines = new Deadlines({ url, timeouts: { idle: 10 } });
    deadlines.waiting();
    vi.advanceTimersByTime(100);
    deadlines.arrived();
    for (let piece = 0; piece < 3; piece++) {
      deadlines.waiting();
      vi.advanceTimersByTime(9);
      deadlines.heard();
      vi.advanceTimersByTime(100);
    }
    expect(deadlines.signal.aborted).toBe(false);
    deadlines.waiting();
    vi.advanceTimersByTime(10);
    expect(deadlines.signal.reason).toMatchObject({ kind: "timeout" });
    expect(vi.getTimerCount()).toBe(0);
  });

  it("timeouts.headers is over with the headers", () => {
    const deadlines = new Deadlines({ url, timeouts: { headers: 10 } });
    deadlines.arrived();
    expect(vi.getTimerCount()).toBe(0);
    deadlines.end();
  });

  it("tell why: the signal's reason first, then the time that has passed, then the cause, which may be another's", () => {
    const why = (request: object, cause: unknown, ms = 0): unknown => {
      const deadlines = new Deadlines({ url, ...request });
      vi.spyOn(performance, "now").mockReturnValueOnce(performance.now() + ms);
      return deadlines.why(cause, "what");
    };
    const cause = new Error("outside", { cause: new Error("inside") });
    const signal = AbortSignal.abort("given up");
    expect(why({ signal }, cause)).toBe("given up");
    expect(why({ timeouts: { total: 10 } }, cause, 10)).toMatchObject({ kind: "timeout" });
    expect(why({ timeouts: { total: 10 } }, cause, 9)).toMatchObject({ kind: "upstream" });
    expect(why({}, cause)).toMatchObject({ kind: "upstream", message: "what: inside", cause });
    expect(why({}, "text")).toMatchObject({ kind: "upstream", message: "what: text" });
    const own = new HttpError("refused", "no");
    expect(why({}, own)).toBe(own);
  });
});
