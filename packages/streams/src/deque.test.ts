import * as fc from "fast-check";
import { expect, it } from "vitest";
import { Deque } from "./deque.ts";

it("behaves as an array does, however it is used", () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant("push"), n: fc.integer() }),
    fc.record({ do: fc.constant("unshift"), n: fc.integer() }),
    fc.record({ do: fc.constant("replaceLast"), n: fc.integer() }),
    fc.record({ do: fc.constantFrom("shift", "shift", "peek", "last", "clear"), n: fc.constant(0) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const deque = new Deque<number>();
      let array: number[] = [];
      for (const { do: what, n } of steps) {
        if (what === "push") (deque.push(n), array.push(n));
        else if (what === "unshift") (deque.unshift(n), array.unshift(n));
        else if (what === "shift") expect(deque.shift()).toBe(array.shift());
        else if (what === "peek") expect(deque.peek()).toBe(array[0]);
        else if (what === "last") expect(deque.last()).toBe(array.at(-1));
        else if (what === "clear") (deque.clear(), (array = []));
        else if (array.length > 0) (deque.replaceLast(n), (array[array.length - 1] = n));
        expect(deque.length).toBe(array.length);
      }
    }),
  );
});

it("keeps the order of thousands that come and go", () => {
  const deque = new Deque<number>();
  let next = 0;
  let seen = 0;
  for (let round = 0; round < 50; round++) {
    for (let i = 0; i < 100; i++) deque.push(next++);
    for (let i = 0; i < 90; i++) expect(deque.shift()).toBe(seen++);
  }
  while (deque.length > 0) expect(deque.shift()).toBe(seen++);
  expect(seen).toBe(5000);
});
