import { ReceiveHalf, SendHalf, type SendHost, type ReceiveHost } from "@sluice/streams";
import { Pair } from "@sluice/core/testing";
import { describe, expect, test } from "vitest";
import { Random } from "../sim/random.ts";
import { beside, flow } from "./credit.ts";
import { DRAFT, RULE, trickyValue } from "./escape.ts";

describe("S6: an item larger than the window", () => {
  const sizes = Array.from({ length: 12 }, (_, n) => n + 1);
  const stopped = (countsParts: boolean): number[][] =>
    sizes.flatMap((a) =>
      sizes.flatMap((b) =>
        sizes.flatMap((c) =>
          flow({ window: 8, items: [a, b, c], countsParts }) < a + b + c ? [[a, b, c]] : [],
        ),
      ),
    );

  test("passes, whatever the sizes, since parts count as read on arrival", () => {
    expect(stopped(true)).toEqual([]);
  });

  test("would wait for ever if only whole items counted, and one no larger than the window as well", () => {
    const deadlocks = stopped(false);
    expect(deadlocks.length).toBeGreaterThan(0);
    expect(deadlocks.some((items) => Math.max(...items) <= 8)).toBe(true);
  });

  test("passes through two real halves, whatever the sizes beside the window's", () => {
    const near = [1, 30, 31, 32, 33, 34, 62, 63, 64, 65, 95, 96, 97, 127, 128, 129, 160, 200, 256, 400];
    for (const first of Array.from({ length: 260 }, (_, n) => n + 1))
      for (const second of near)
        expect(passes(128, [first, second, first])).toBe(`${first} ${second} ${first}`);
  });
});

// What a reader has read of items of these sizes once nothing moves any more.
function passes(window: number, items: readonly number[]): string {
  const read: number[] = [];
  const readerHost: ReceiveHost = {
    grant: (_, offset) => writer.granted(offset),
    stop: () => {},
    released: () => {},
    unreadBy: () => {},
  };
  const writerHost: SendHost = { ready: () => {}, reset: () => {} };
  const writer = new SendHalf(1, "items", window, 1_000_000, writerHost);
  const reader = new ReceiveHalf(1, "items", { window, item: 1_000_000, depth: 10 }, readerHost);
  for (const size of items)
    writer.write(new TextEncoder().encode(size === 1 ? "1" : `"${"x".repeat(size - 2)}"`));
  for (let piece = writer.pull(65_536); piece !== undefined; piece = writer.pull(65_536)) {
    const rule = reader.arrive({ ...piece, size: piece.payload.length });
    if (rule !== undefined) return rule;
    for (let item = reader.read(); item !== undefined; item = reader.read())
      read.push(typeof item === "string" ? item.length + 2 : 1);
  }
  return read.join(" ");
}

describe("S6a: a stream that is read, beside one that lies full", () => {
  test("is granted up to its first window, so it gets through", () => {
    for (let window = 2; window <= 64; window++) expect(beside(window, window, true)).toBe(10 * window);
  });

  test("would stop if the session's cap held back first windows", () => {
    expect(beside(4, 4, false)).toBeLessThan(40);
  });
});

describe("S1: a user's own $stream and $escape keys", () => {
  test("arrive as they were, 100,000 times", () => {
    const random = new Random(1);
    const lost: string[] = [];
    for (let n = 0; n < 100_000; n++) {
      const value = trickyValue((below) => random.below(below));
      const text = JSON.stringify(value);
      if (JSON.stringify(RULE.read(RULE.write(value))) !== text) lost.push(text);
    }
    expect(lost).toEqual([]);
  });

  test("would not by the rule of an earlier draft", () => {
    const value = { $escape: 0 };
    expect(DRAFT.read(DRAFT.write(value))).not.toEqual(value);
    const mention = { $stream: 7, of: "bytes", by: "sender" };
    expect(DRAFT.read(DRAFT.write(mention))).toBe("a mention");
  });

  test("travel between two sessions as the rule writes them, and arrive", () => {
    const texts: string[] = [];
    const frame = (direction: string, text: unknown): void => {
      if (direction === "out" && typeof text === "string") texts.push(text);
    };
    const pair = Pair.greeted({ initiator: { observer: { frame } } });
    const random = new Random(2);
    for (let n = 0; n < 3000; n++) {
      const value = trickyValue((below) => random.below(below));
      const call = pair.a.call("echo", [value]);
      pair.settle();
      const written = (JSON.parse(texts.at(-1)!) as { params: unknown[] }).params[0];
      expect(JSON.stringify(written)).toBe(JSON.stringify(RULE.write(value)));
      const incoming = pair.b.seen.calls.at(-1)!;
      expect(JSON.stringify((incoming.params as unknown[])[0])).toBe(JSON.stringify(value));
      incoming.succeed((incoming.params as unknown[])[0]);
      pair.settle();
      expect(JSON.stringify(call.outcomes)).toBe(JSON.stringify([{ result: value }]));
    }
  });
});
