import * as fc from "fast-check";
import { expect, it } from "vitest";
import { Deque } from "./deque.ts";

it("behaves as an array does, however it is used", () => {
  const verbs = ["push", "push", "unshift", "replaceLast", "shift", "peek", "last", "clear"] as const;
  const step = fc.record({ do: fc.constantFrom(...verbs), n: fc.integer() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const deque = new Deque<number>();
      const array: number[] = [];
      for (const { do: what, n } of steps) {
        const change = {
          push: () => [deque.push(n), array.push(n)],
          unshift: () => [deque.unshift(n), array.unshift(n)],
          shift: () => expect(deque.shift()).toBe(array.shift()),
          peek: () => expect(deque.peek()).toBe(array[0]),
          last: () => expect(deque.last()).toBe(array.at(-1)),
          clear: () => [deque.clear(), array.splice(0)],
          replaceLast: () => array.length > 0 && [deque.replaceLast(n), (array[array.length - 1] = n)],
        };
        change[what]();
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
