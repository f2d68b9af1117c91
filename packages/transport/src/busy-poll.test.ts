import { expect, it } from "vitest";
import { BusyPoll } from "./busy-poll.ts";

/** A reader, the clock it reads, and until when it was to look. */
class Reader {
  now = 0;
  looks: number[] = [];
  readonly poll: BusyPoll = new BusyPoll(
    () => this.now,
    (until) => void this.looks.push(until),
  );

  /** Messages that come `gap` ms after the one before was dealt with; each takes 1 ms. Returns how often it looked. */
  read(count: number, gap: number, bytes = 40): number {
    const before = this.looks.length;
    for (let i = 0; i < count; i++) {
      this.now += gap;
      this.poll.came(bytes);
      this.now += 1;
      this.poll.waits();
    }
    return this.looks.length - before;
  }
}

it("looks for the next message once eight small ones came close upon each other, for 0.2 ms", () => {
  const reader = new Reader();
  expect(reader.read(1, 10)).toBe(0);
  expect(reader.read(7, 0.1)).toBe(0);
  expect(reader.read(100, 0.1)).toBe(100);
  expect(reader.looks.at(-1)).toBeCloseTo(reader.now + 0.2);
});

it("looks for nothing where messages come now and then, or are a stream's", () => {
  const reader = new Reader();
  expect(reader.read(1000, 0.3)).toBe(0);
  expect(reader.read(1000, 0.01, 64 * 1024)).toBe(0);
  for (let i = 0; i < 100; i++) expect(reader.read(6, 0.1) + reader.read(1, 0.1, 5000)).toBe(0);
});

it("looks for no credit: who writes a stream reads small messages, too", () => {
  const reader = new Reader();
  for (let i = 0; i < 100; i++) {
    expect(reader.read(7, 0.1)).toBe(0);
    reader.poll.wrote(32 * 1024);
  }
  expect(reader.read(100, 0.1)).toBe(93);
  reader.poll.wrote(16 * 1024); // answers to many calls
  expect(reader.read(100, 0.1)).toBe(100);
});

it("looks half as often each time it was in vain, and as before once it was not", () => {
  const reader = new Reader();
  const neededNow = (): number => {
    reader.read(1, 10);
    for (let needed = 1; ; needed++) if (reader.read(1, 0.1) > 0) return needed;
  };
  expect(Array.from({ length: 8 }, neededNow)).toEqual([8, 16, 32, 64, 128, 256, 256, 256]);
  reader.read(1, 0.1);
  expect([neededNow(), neededNow()]).toEqual([16, 32]);
});

it("keeps nothing else from running while it looks", async () => {
  const poll = new BusyPoll();
  for (let i = 0; i < 100; i++) {
    poll.came(1);
    poll.waits();
  }
  const ran = new Promise((resolve) => setTimeout(() => resolve("a timer"), 0));
  expect(await ran).toBe("a timer");
});
