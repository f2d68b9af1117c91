import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Heartbeat } from "./heartbeat.ts";

const INTERVAL = 1000;

function beating(interval = INTERVAL): { beat: Heartbeat; said: string[]; hears: (yes: boolean) => void } {
  const said: string[] = [];
  let hears = true;
  const beat = new Heartbeat({
    interval,
    ping: () => said.push("ping"),
    deaf: () => !hears,
    dead: () => said.push("dead"),
  });
  return { beat, said, hears: (yes) => (hears = yes) };
}

describe("W5: a heartbeat", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("asks after an interval, and gives up after a second one without a sign", () => {
    const { said } = beating();
    vi.advanceTimersByTime(INTERVAL - 1);
    expect(said).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(said).toEqual(["ping"]);
    vi.advanceTimersByTime(INTERVAL);
    expect(said).toEqual(["ping"]);
    // What has arrived while our own process was busy is read before the verdict.
    vi.advanceTimersByTime(1);
    expect(said).toEqual(["ping", "dead"]);
    vi.advanceTimersByTime(10 * INTERVAL);
    expect(said).toEqual(["ping", "dead"]);
  });

  it("goes on asking a far end that answers", () => {
    const { beat, said } = beating();
    for (let asked = 1; asked <= 5; asked++) {
      vi.advanceTimersByTime(INTERVAL);
      expect(said.length).toBe(asked);
      beat.heard();
    }
    expect(new Set(said)).toEqual(new Set(["ping"]));
  });

  it("takes a sign that was read just after the second interval", () => {
    const { beat, said } = beating();
    vi.advanceTimersByTime(2 * INTERVAL);
    beat.heard();
    vi.advanceTimersByTime(1);
    expect(said).toEqual(["ping", "ping"]);
    vi.advanceTimersByTime(INTERVAL + 1);
    expect(said).toEqual(["ping", "ping", "dead"]);
  });

  it("judges nobody while nothing is read", () => {
    const { said, hears } = beating();
    hears(false);
    vi.advanceTimersByTime(10 * INTERVAL);
    expect(said).not.toContain("dead");
    hears(true);
    vi.advanceTimersByTime(2 * INTERVAL);
    expect(said).toContain("dead");
  });

  it("ends when it is stopped, and never begins where its interval is Infinity", () => {
    const { beat, said } = beating();
    vi.advanceTimersByTime(INTERVAL);
    beat.stop();
    const never = beating(Number.POSITIVE_INFINITY);
    vi.advanceTimersByTime(100 * INTERVAL);
    expect([said, never.said, vi.getTimerCount()]).toEqual([["ping"], [], 0]);
  });
});
