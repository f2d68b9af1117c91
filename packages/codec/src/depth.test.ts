import * as fc from "fast-check";
import { expect, it } from "vitest";
import { tooDeep } from "./depth.ts";

function depthOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

it("agrees with a walk of the parsed tree", () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 8 }), fc.integer({ min: 0, max: 8 }), (text, max) => {
      expect(tooDeep(text, max)).toBe(depthOf(JSON.parse(text)) > max);
    }),
    { numRuns: 500 },
  );
});

it("brackets in strings do not count, whatever is escaped around them", () => {
  expect(tooDeep(JSON.stringify(['[[[["[[[[', "\\", '\\"[[[[', "\\\\[[["]), 1)).toBe(false);
  expect(tooDeep('["\\\\",[[1]]]', 2)).toBe(true);
  expect(tooDeep(`["${"\\\\".repeat(1000)}",[]]`, 2)).toBe(false);
});

it("is quick with text made to be slow: quotes that are never closed, and runs of backslashes", () => {
  expect(tooDeep(`"${'\\"'.repeat(1_000_000)}`, 10)).toBe(false);
  expect(tooDeep(`"${"\\".repeat(2_000_000)}"`, 10)).toBe(false);
  expect(tooDeep("]".repeat(1_000_000), 10)).toBe(false);
  expect(tooDeep("[".repeat(1_000_000), 128)).toBe(true);
});
