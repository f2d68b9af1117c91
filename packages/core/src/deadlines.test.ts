import * as fc from "fast-check";
import { expect, it } from "vitest";
import { Deadlines, type Deadline } from "./deadlines.ts";

it("fires what is due, earliest first, and what was cancelled never", () => {
  const entry = fc.record({ at: fc.integer({ min: 0, max: 50 }), cancel: fc.boolean() });
  fc.assert(
    fc.property(fc.array(entry), fc.array(fc.integer({ min: 0, max: 20 })), (entries, steps) => {
      const deadlines = new Deadlines();
      const fired: number[] = [];
      const all: Deadline[] = entries.map(({ at }) => deadlines.add(at, () => void fired.push(at)));
      for (const [i, { cancel }] of entries.entries()) if (cancel) deadlines.cancel(all[i]);
      const due = entries.filter(({ cancel }) => !cancel).map(({ at }) => at);
      let now = 0;
      for (const step of steps) {
        deadlines.run((now += step));
        const later = due.filter((at) => at > now);
        expect(deadlines.next).toBe(later.length === 0 ? undefined : Math.min(...later));
      }
      expect(fired).toEqual(due.filter((at) => at <= now && steps.length > 0).toSorted((a, b) => a - b));
    }),
  );
});

it("rounds up, and a moment of infinity never comes", () => {
  const deadlines = new Deadlines();
  expect(deadlines.add(1.2, () => {}).at).toBe(2);
  deadlines.cancel(deadlines.add(Number.POSITIVE_INFINITY, () => {}));
  deadlines.run(2);
  expect(deadlines.next).toBe(undefined);
});

it("fires what is added meanwhile and due, and nothing more once it is cleared", () => {
  const deadlines = new Deadlines();
  const fired: string[] = [];
  deadlines.add(1, () => {
    fired.push("first");
    deadlines.add(1, () => void fired.push("added"));
  });
  deadlines.run(1);
  expect(fired).toEqual(["first", "added"]);
  for (const name of ["a", "b"])
    deadlines.add(2, () => {
      fired.push(name);
      deadlines.clear();
    });
  deadlines.run(5);
  expect([fired.slice(2), deadlines.next]).toEqual([["a"], undefined]);
});
