import * as fc from "fast-check";
import { expect, it } from "vitest";
import { OutgoingCall } from "./outgoing.ts";
import { PendingCalls } from "./pending-calls.ts";

const call = (id: number): OutgoingCall =>
  new OutgoingCall(id, "m", { result: () => {}, error: () => {} }, []);

it("behaves as a map of ids does, however many are pending and whichever is answered", () => {
  const make = fc.record({ make: fc.integer({ min: 1, max: 400 }), skipped: fc.boolean() });
  const take = fc.record({
    take: fc.double({ min: 0, max: 1, noNaN: true }),
    times: fc.integer({ max: 300, min: 1 }),
  });
  fc.assert(
    fc.property(fc.array(fc.oneof(make, take), { maxLength: 30 }), (steps) => {
      const pending = new PendingCalls();
      const model = new Map<number, OutgoingCall>();
      let next = 1;
      for (const step of steps) {
        if ("make" in step) {
          if (step.skipped) next++;
          for (let i = 0; i < step.make; i++) {
            const made = call(next++);
            pending.add(made);
            model.set(made.id, made);
          }
        } else {
          for (let i = 0; i < step.times; i++) {
            const id = Math.floor(step.take * next) + i;
            expect(pending.take(id)).toBe(model.get(id));
            model.delete(id);
          }
        }
        expect(pending.size).toBe(model.size);
        expect(pending.all()).toEqual([...model.values()]);
      }
      pending.clear();
      expect([pending.size, pending.all()]).toEqual([0, []]);
    }),
    { numRuns: 50 },
  );
});

it("takes no other number for an id", () => {
  const pending = new PendingCalls();
  pending.add(call(1));
  for (const id of [1.5, 0, -255, 257, 2 ** 32 + 1, Number.NaN, Number.POSITIVE_INFINITY])
    expect(pending.take(id)).toBeUndefined();
  expect(pending.take(1)?.id).toBe(1);
});
