import { expect, it } from "vitest";
import { formatEventId, parseEventId } from "./event-id.ts";

it("an event's id says its stream and its place", () => {
  expect(formatEventId(3, 17)).toBe("sluice.3_17");
  expect(parseEventId("sluice.3_17")).toEqual({ stream: 3, seq: 17 });
  expect(parseEventId("sluice.0_0")).toEqual({ stream: 0, seq: 0 });
});

it("what is not quite an id is none", () => {
  const wrong = [
    "",
    "3_17",
    "sluice.3",
    "sluice.3_",
    "sluice._1",
    "sluice.03_1",
    "sluice.3_-1",
    "sluice.3_1 ",
    "sluice.3_1\n",
    "__proto__",
    "sluice.1e3_1",
    "sluice.9999999999999999_1",
    `sluice.1_${"1".repeat(1_000_000)}`,
  ];
  for (const id of wrong) expect(parseEventId(id)).toBeUndefined();
});
