import { expect, it } from "vitest";
import { withDefaults, WS_LIMITS } from "./limits.ts";

it("W4: a message may be as large as the largest of a session, and a frame around it", () => {
  expect(WS_LIMITS.message).toBe(16 * 1024 * 1024 + 64 * 1024);
  expect(WS_LIMITS.fragments).toBe(1024);
});

it("limits that are not given have their defaults", () => {
  expect(withDefaults({ held: 7, heartbeat: Infinity })).toEqual({
    ...WS_LIMITS,
    held: 7,
    heartbeat: Infinity,
  });
});

it.each([0, -1, Number.NaN, "ten" as unknown as number])("a limit of %j is named and refused", (close) => {
  expect(() => withDefaults({ close })).toThrow(new RangeError(`limits.close must be above 0, not ${close}`));
});
