import { expect, test } from "vitest";
import { runBatch } from "./batch.ts";
import { MUTANTS } from "./mutants.ts";
import { run, shrink } from "./run.ts";

test("300 random programs on faulty links break no rule", () => {
  const { seeds, failures, figures } = runBatch(1, 300);
  expect(failures).toEqual([]);
  expect(seeds).toBe(300);
  // And they did something.
  expect(figures["call: result"]).toBeGreaterThan(300);
  expect(figures["stream: ended → end"]).toBeGreaterThan(100);
  expect(figures["session: lost by transport"]).toBeGreaterThan(20);
});

test("a seed is the same run every time, event by event", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const first = run(seed, { recording: true });
    const second = run(seed, { recording: true });
    expect(second.trace).toEqual(first.trace);
    expect(second.hash).toBe(first.hash);
    expect(run(seed).hash).toBe(first.hash);
    expect(run(seed + 1).hash).not.toBe(first.hash);
  }
});

test.each(MUTANTS)("a planted bug is found: $name", ({ plant }) => {
  const restore = plant();
  try {
    let seed = 1;
    while (run(seed).violation === undefined && seed < 2000) seed++;
    expect(run(seed).violation).toBeDefined();
  } finally {
    restore();
  }
});

test("what fails is made smaller, and still breaks the same rule", () => {
  const { plant } = MUTANTS.find(({ name }) => name === "drops the last byte of a piece")!;
  const restore = plant();
  try {
    let seed = 1;
    while (run(seed).violation?.rule !== "order") seed++;
    const { outcome, steps, of } = shrink(seed);
    expect(outcome.violation?.rule).toBe("order");
    expect(steps).toBeLessThan(of);
    expect(outcome.trace.length).toBeGreaterThan(0);
  } finally {
    restore();
  }
});
