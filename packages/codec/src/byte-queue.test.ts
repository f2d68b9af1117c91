import * as fc from "fast-check";
import { expect, it } from "vitest";
import { ByteQueue } from "./byte-queue.ts";
import { bytes, join } from "./testing.ts";

type Step =
  | { readonly do: "push"; readonly size: number; readonly times: number }
  | { readonly do: "take" | "takeSome" | "discard" | "putBack"; readonly part: number };

const push = fc.record({
  do: fc.constant("push" as const),
  size: fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: 0, max: 8 }) },
    fc.integer({ min: 0, max: 3000 }),
    fc.constantFrom(1023, 1024, 1025, 4095, 4096),
  ),
  times: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 40 })),
});
const remove = fc.record({
  do: fc.constantFrom("take" as const, "takeSome" as const, "discard" as const, "putBack" as const),
  part: fc.oneof(fc.constantFrom(0, 0.01, 1), fc.double({ min: 0, max: 1, noNaN: true })),
});

// Quicker than toEqual, which would take most of the time here.
function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

it("behaves as one long array does, however its bytes came", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(push, remove), { maxLength: 40 }), (steps: readonly Step[]) => {
      const queue = new ByteQueue();
      const taken: [Uint8Array, Uint8Array][] = [];
      let model = new Uint8Array(0);
      let next = 0;
      for (const step of steps) {
        if (step.do === "push") {
          for (let time = 0; time < step.times; time++) {
            const chunk = Uint8Array.from({ length: step.size }, () => next++ % 251);
            queue.push(chunk);
            model = join([model, chunk]) as Uint8Array<ArrayBuffer>;
          }
        } else {
          const wanted = Math.floor(step.part * model.length);
          let n = wanted;
          if (step.do === "discard") queue.discard(wanted);
          else if (step.do === "putBack") {
            queue.unshift(queue.take(wanted));
            n = 0;
          } else {
            const got = step.do === "take" ? queue.take(wanted) : queue.takeSome(wanted);
            n = got.length;
            if (step.do === "take" || wanted === 0) expect(n).toBe(wanted);
            else expect(n > 0 && n <= wanted).toBe(true);
            taken.push([got, model.slice(0, n)]);
          }
          model = model.subarray(n);
        }
        expect(queue.length).toBe(model.length);
        expect(same(queue.peek(model.length), model)).toBe(true);
        const middle = Math.floor(model.length / 2);
        if (model.length > 0) expect(queue.at(middle)).toBe(model[middle]);
        if (model.length >= middle + 4)
          expect(queue.u32(middle)).toBe(new DataView(model.buffer, model.byteOffset).getUint32(middle));
        for (const from of [0, 1, middle, model.length])
          expect(queue.indexOf(7, from)).toBe(model.indexOf(7, from));
        const block = queue.upToLast(7);
        expect(same(block, model.subarray(0, block.length))).toBe(true);
        expect(block.length === 0 || block.at(-1) === 7).toBe(true);
      }
      // What was taken stays as it was, whatever came after it.
      for (const [got, was] of taken) expect(same(got, was)).toBe(true);
    }),
    { numRuns: 100 },
  );
});

it("finds the last of a byte in the first chunk alone", () => {
  const queue = new ByteQueue();
  queue.push(bytes("a.b.c"));
  expect(queue.upToLast(0x2e)).toEqual(bytes("a.b."));
  queue.discard(2);
  expect(queue.upToLast(0x2e)).toEqual(bytes("b."));
  queue.discard(2);
  queue.push(bytes("x".repeat(2000), "."));
  expect(queue.upToLast(0x2e)).toEqual(bytes());
});

it("hands out a view where the bytes lie in one chunk, and a copy where they do not", () => {
  const queue = new ByteQueue();
  const chunk = bytes("abcdef");
  queue.push(chunk);
  queue.push(bytes("ghi"));
  expect(queue.take(4).buffer).toBe(chunk.buffer);
  const spanning = queue.take(3);
  expect(spanning).toEqual(bytes("efg"));
  expect(spanning.buffer).not.toBe(chunk.buffer);
});

it("peeks across chunks and takes nothing", () => {
  const queue = new ByteQueue();
  for (const letter of "letters") queue.push(bytes(letter));
  expect(queue.peek(4)).toEqual(bytes("lett"));
  expect(queue.peek(80)).toEqual(bytes("letters"));
  expect(queue.length).toBe(7);
});

it("never writes to the chunks it was given, nor to what it has handed out", () => {
  const queue = new ByteQueue();
  const whole = bytes("abcdefgh");
  queue.push(whole.subarray(0, 2));
  queue.push(bytes("x"));
  const view = queue.take(3);
  queue.push(view); // a view of what was gathered, given back
  for (let i = 0; i < 100; i++) queue.push(bytes("y"));
  expect(whole).toEqual(bytes("abcdefgh"));
  expect(view).toEqual(bytes("abx"));
});

it("does not write past a piece of its own memory that came back as a chunk", () => {
  const queue = new ByteQueue();
  const small = new Uint8Array(1000).fill(1);
  for (let i = 0; i < 4; i++) queue.push(small);
  queue.discard(1000);
  const back = queue.take(1500);
  queue.push(back);
  queue.push(bytes("z"));
  queue.discard(1500);
  expect(queue.take(1500)).toEqual(back);
  expect(queue.take(1)).toEqual(bytes("z"));
});

it("says so when bytes are asked for that are not there", () => {
  const queue = new ByteQueue();
  queue.push(bytes("ab"));
  queue.push(bytes("c"));
  expect(() => queue.at(3)).toThrow(RangeError);
  expect(() => queue.u32(0)).toThrow(RangeError);
  expect(() => queue.take(4)).toThrow(RangeError);
  expect(queue.length).toBe(3);
  queue.discard(100);
  expect(queue.length).toBe(0);
  expect(queue.takeSome(1)).toEqual(bytes());
});
