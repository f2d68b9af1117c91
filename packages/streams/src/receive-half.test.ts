import { describe, expect, it } from "vitest";
import { SharedBudget } from "./budget.ts";
import { StreamCode } from "./error.ts";
import { chunk, KiB, part, receiver, text } from "./testing.ts";
import type { ReceiveHalf } from "./receive-half.ts";

const zeros = (n: number): Uint8Array => new Uint8Array(n);
const readAll = (half: ReceiveHalf): string[] => {
  const all: string[] = [];
  for (let bytes = half.read(); bytes !== undefined; bytes = half.read()) all.push(text(bytes));
  return all;
};

describe("a byte stream's reader", () => {
  it("S6: reading grants when half the window has been read, and what lies unread is counted", () => {
    const { half, told } = receiver();
    for (const size of [1500, 500, 2096]) half.arrive(chunk(zeros(size).fill(65)));
    expect(told.unread).toBe(4096);
    half.read(); // the first two, joined
    expect([told.take(), told.unread]).toEqual([[], 2096]);
    half.read();
    expect([told.take(), told.unread]).toEqual([[["grant", 1, 8192]], 0]);
    expect([half.read(), half.isOver]).toEqual([undefined, false]);
  });

  it("S4: a byte past the grant breaks the rule", () => {
    const { half } = receiver();
    expect([half.arrive(chunk(zeros(4096))), half.arrive(chunk("x"))]).toEqual([undefined, "S4"]);
  });

  it("F2a: an item frame on a byte stream breaks the rule", () => {
    expect(receiver().half.arrive(part("1"))).toBe("F2a");
  });

  it("joins single bytes that wait, and never writes into what has been read", () => {
    const { half } = receiver("bytes", { window: 64 * KiB });
    const read: Uint8Array[] = [];
    for (let i = 0; i < 10_000; i++) {
      half.arrive(chunk(Uint8Array.of(i % 256)));
      if (i % 1234 === 0) read.push(half.read() as Uint8Array);
    }
    for (let bytes = half.read(); bytes !== undefined; bytes = half.read()) read.push(bytes as Uint8Array);
    expect(read.length).toBeLessThan(30);
    const all = read.flatMap((bytes) => [...bytes]);
    expect(all).toEqual(Array.from({ length: 10_000 }, (_, i) => i % 256));
  });

  it("does not hold on to a large chunk for a small part of it", () => {
    const { half } = receiver();
    half.arrive(chunk(zeros(64 * KiB).subarray(100, 3000)));
    expect((half.read() as Uint8Array).buffer.byteLength).toBe(2900);
    const large = zeros(3000);
    half.arrive({ ...chunk(large), payload: large });
    expect(half.read()).toBe(large);
  });

  it("says that there is something to read when there was nothing, and when the terminal comes", () => {
    const { half } = receiver();
    let said = 0;
    half.onReadable = () => void said++;
    half.arrive(chunk("a"));
    half.arrive(chunk("b"));
    expect(said).toBe(1);
    readAll(half);
    half.arrive(chunk("c"));
    half.ended(3);
    expect(said).toBe(3);
  });
});

describe("a reader's terminal", () => {
  it("S12: comes after all that arrived, whichever it is", () => {
    for (const [terminal, code] of [
      [(half: ReceiveHalf) => void half.ended(5), undefined],
      [(half: ReceiveHalf) => half.wasReset(1001, "no", { x: 1 }), 1001],
      [(half: ReceiveHalf) => half.lose(new Error("cable")), StreamCode.sessionEnded],
    ] as const) {
      const { half, told } = receiver();
      half.arrive(chunk(zeros(3).fill(65)));
      half.arrive(chunk("BC"));
      terminal(half);
      expect([half.isOver, half.hasData, told.take()]).toEqual([false, true, []]);
      expect(readAll(half)).toEqual(["AAABC"]);
      expect([half.isOver, half.state, half.error?.code]).toEqual([true, "done", code]);
      expect([told.take(), told.unread]).toEqual([[["released", 1]], 0]);
    }
  });

  it("S12: is there at once where nothing waits", () => {
    const { half, told } = receiver();
    half.wasReset(0, "", undefined);
    expect([half.isOver, half.error?.code, half.error?.by]).toEqual([true, 0, "peer"]);
    expect(told.take()).toEqual([["released", 1]]);
  });

  it("S12: the first terminal wins", () => {
    const ended = receiver();
    ended.half.arrive(chunk("a"));
    ended.half.ended(1);
    ended.half.lose(new Error("cable"));
    expect(readAll(ended.half)).toEqual(["a"]);
    expect(ended.half.error).toBe(undefined);

    const failed = receiver();
    failed.half.arrive(chunk("a"));
    failed.half.wasReset(1000, "first", undefined);
    failed.half.lose(new Error("cable"));
    expect(failed.half.error?.message).toBe("first");

    const stopped = receiver();
    stopped.half.stop(0, "");
    stopped.half.wasReset(1000, "second", undefined);
    expect(stopped.half.error).toBe(undefined);

    const lost = receiver();
    lost.half.arrive(chunk("a"));
    lost.half.lose(new Error("cable"));
    lost.half.lose(new Error("again"));
    expect(lost.half.error?.message).toBe("cable");
  });

  it("S7: an end that does not match what arrived fails the stream with 3, and stops nobody: the peer has ended", () => {
    for (const offset of [1, 3]) {
      const { half, told } = receiver();
      half.arrive(chunk("ab"));
      expect(half.ended(offset)).toBe(undefined);
      expect(readAll(half)).toEqual(["ab"]);
      expect(half.error).toMatchObject({ code: StreamCode.protocol, by: "peer" });
      expect(told.take()).toEqual([["released", 1]]);
    }
  });

  it("an end that goes with data has no offset to match", () => {
    const { half } = receiver();
    half.arrive(chunk("ab"));
    half.ended(undefined);
    readAll(half);
    expect([half.isOver, half.error]).toEqual([true, undefined]);
  });

  it("S6a: gives its window's growth back when the end comes, and when it is stopped", () => {
    for (const over of ["ended", "stop"] as const) {
      const budget = new SharedBudget(64 * KiB);
      const { half } = receiver("bytes", { growth: { max: 64 * KiB, budget } });
      half.arrive(chunk(zeros(4096)));
      half.read();
      expect(budget.used).toBe(4096);
      half.arrive(chunk(zeros(8192)));
      if (over === "ended") half.ended(3 * 4096);
      else half.stop(0, "");
      expect(budget.used).toBe(0);
      readAll(half);
      expect(budget.used).toBe(0);
    }
  });
});

describe("a reader that stops", () => {
  it("S9: tells the peer once, drops the queue at once, and waits for the peer's end", () => {
    for (const ends of [true, false]) {
      const { half, told } = receiver();
      half.arrive(chunk("abc"));
      let said = 0;
      half.onReadable = () => void said++;
      half.stop(1, "enough");
      half.stop(2, "again");
      expect(told.take()).toEqual([
        ["stop", 1, 1],
        ["released", 1],
      ]);
      expect([half.state, half.isOver, half.read(), told.unread, said]).toEqual([
        "stopping",
        true,
        undefined,
        0,
        1,
      ]);
      expect(half.arrive(chunk("late"))).toBe(undefined);
      expect([half.read(), told.unread]).toEqual([undefined, 0]);
      if (ends) half.ended(999);
      else half.wasReset(1, "", undefined);
      expect([half.state, half.error, told.take()]).toEqual(["done", undefined, []]);
    }
  });

  it("S9: what arrives while stopping still counts against the credit, which no longer grows", () => {
    const { half, told } = receiver();
    half.arrive(chunk(zeros(4000)));
    half.stop(0, "");
    told.take();
    expect(half.arrive(chunk(zeros(96)))).toBe(undefined);
    expect(half.arrive(chunk("x"))).toBe("S4");
    expect(told.take()).toEqual([]);
  });

  it("S1: what arrives while stopping may be of any kind", () => {
    const { half } = receiver();
    half.stop(StreamCode.refused, "a kind that is not known here");
    expect([half.arrive(part("{}")), half.arrive(chunk("{}"))]).toEqual([undefined, undefined]);
  });

  it("S9: after the peer's end there is nobody to tell", () => {
    for (const over of [
      (half: ReceiveHalf) => half.ended(1),
      (half: ReceiveHalf) => half.wasReset(1000, "", undefined),
    ]) {
      const { half, told } = receiver();
      half.arrive(chunk("a"));
      over(half);
      half.stop(0, "");
      expect(told.take()).toEqual([["released", 1]]);
      expect([half.state, half.read(), told.unread]).toEqual(["done", undefined, 0]);
      half.stop(0, "");
      half.lose(new Error("gone"));
      expect(told.take()).toEqual([]);
    }
  });
});
