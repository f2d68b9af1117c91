import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Delivery } from "./delivery.ts";
import { Inbox } from "./inbox.ts";

function inbox(): {
  inbox: Inbox;
  delivery: Delivery;
  taken: (number | undefined)[];
  take(seq?: number): Promise<void>;
} {
  const delivery = new Delivery("a test", { onEndTold() {}, onThrow() {} });
  delivery.start({ onData() {}, onDrain() {}, onEnd() {}, onClose() {} });
  const made = new Inbox(delivery, 60_000, () => expect.unreachable());
  const taken: (number | undefined)[] = [];
  return { inbox: made, delivery, taken, take: (seq) => made.take(seq, () => void taken.push(seq)) };
}

describe("what comes in on several responses", () => {
  it("is put into the order of its numbers, in whichever order it comes", async () => {
    const order = fc.integer({ min: 1, max: 30 }).chain((n) => {
      const all = Array.from({ length: n }, (_, at) => at + 1);
      return fc.shuffledSubarray(all, { minLength: n, maxLength: n });
    });
    await fc.assert(
      fc.asyncProperty(order, async (numbers) => {
        const { take, taken } = inbox();
        await Promise.all(numbers.map((seq) => take(seq)));
        expect(taken).toEqual(numbers.toSorted((a, b) => a - b));
      }),
    );
  });

  it("is taken once", async () => {
    const { take, taken } = inbox();
    const early = take(2);
    await take(2);
    await take(1);
    await early;
    await take(1);
    expect(taken).toEqual([1, 2]);
  });

  it("without a number does not wait for what has one", async () => {
    const { take, taken } = inbox();
    const early = take(2);
    await take(undefined);
    await take(1);
    await early;
    expect(taken).toEqual([undefined, 1, 2]);
  });

  it("waits for nothing that was lost, and keeps the order of what is there", async () => {
    const { inbox: made, take, taken } = inbox();
    const early = [take(5), take(3)];
    made.disorder();
    await Promise.all(early);
    await take(9);
    await take(2);
    expect(taken).toEqual([3, 5, 9, 2]);
  });

  it("does not wait for ever for what is missing", async () => {
    const delivery = new Delivery("a test", { onEndTold() {}, onThrow() {} });
    const taken: string[] = [];
    await new Promise<void>((missing) => {
      const made = new Inbox(delivery, 1, missing);
      void made.take(2, () => void taken.push("2"));
    });
    expect(taken).toEqual([]);
  });

  it("waits while the user wants no data, all of it", async () => {
    const { delivery, take, taken } = inbox();
    delivery.pause();
    const all = [take(1), take(2), take(undefined)];
    await Promise.resolve();
    expect(taken).toEqual([]);
    delivery.resume();
    await Promise.all(all);
    expect(taken).toEqual([1, 2, undefined]);
  });
});
