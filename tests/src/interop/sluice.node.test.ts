import { expect, it } from "vitest";
import { cells, runCell } from "./run.ts";
import { sluiceTarget } from "./target.ts";

// The others are run by the command: processes take their time.
const some = cells.filter(({ listen, wire }) => (listen === "ws") === (wire === "auto"));

it.each(some)(
  "our own executor does all that a codex exec-server does, over $listen, wire $wire",
  async (cell) => {
    const results = await runCell(sluiceTarget(), cell);
    expect(results.filter(({ status }) => status === "failed")).toEqual([]);
    expect(results.filter(({ status }) => status === "passed").length).toBeGreaterThan(20);
  },
  600_000,
);
