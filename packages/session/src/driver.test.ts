import { afterEach, expect, it, vi } from "vitest";
import { failure, pair } from "./features.testing.ts";

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

it("a deadline beyond what a timer can be set to is not looked at again and again", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  const { a, b } = await pair({}, { handlers: { wait: () => new Promise(() => {}) } });
  const call = failure(a.call("wait", {}, { timeout: 2 ** 32 }));
  await failure(a.call("none"));
  const set = vi.spyOn(globalThis, "setTimeout");
  vi.advanceTimersByTime(60_000);
  expect(set.mock.calls.length).toBeLessThan(10);
  await a.close();
  expect(await call).toMatchObject({ _tag: "SessionError" });
  await b.closed;
});
