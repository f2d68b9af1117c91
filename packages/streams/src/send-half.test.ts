import { describe, expect, it } from "vitest";
import { StreamCode } from "./error.ts";
import { KiB, pullAll, sender, text } from "./testing.ts";
import type { Piece } from "./send-half.ts";

const bytes = (n: number): Uint8Array => Uint8Array.from({ length: n }, (_, i) => i % 251);
const NO_MORE = "the peer ended the session and grants no more";
const brief = (pieces: Piece[]): unknown[] => pieces.map(({ payload, end }) => [payload.length, end]);

describe("a byte stream's writer", () => {
  it("S4: sends up to its credit at once, and the rest once it is granted", () => {
    const { half, told } = sender("bytes", 10);
    half.write(bytes(25));
    expect(told.take()).toEqual([["ready", 1]]);
    expect(brief(pullAll(half))).toEqual([[10, false]]);
    expect(half.canSend).toBe(false);
    half.granted(20);
    expect(told.take()).toEqual([["ready", 1]]);
    expect(brief(pullAll(half))).toEqual([[10, false]]);
    half.granted(20);
    half.granted(15);
    expect(told.take()).toEqual([]);
    half.granted(100);
    half.end();
    expect(brief(pullAll(half))).toEqual([[5, true]]);
    expect([half.window.sent, half.queued]).toEqual([25, 0]);
  });

  it("F2: cuts a large chunk at 64 KiB, and smaller where it is told to", () => {
    const { half } = sender("bytes", 1000 * KiB);
    half.write(bytes(150 * KiB));
    expect(half.pull(16 * KiB)?.payload.length).toBe(16 * KiB);
    expect(brief(pullAll(half, 1000 * KiB))).toEqual([
      [64 * KiB, false],
      [64 * KiB, false],
      [6 * KiB, false],
    ]);
  });

  it("gathers the small writes that wait together, and copies no large one for them", () => {
    const { half } = sender("bytes", 1000 * KiB);
    for (let i = 0; i < 1000; i++) half.write(Uint8Array.of(i % 256));
    const large = bytes(20 * KiB);
    half.write(large);
    half.write(bytes(3));
    half.write(bytes(4));
    const pieces = pullAll(half);
    expect(brief(pieces)).toEqual([
      [1000, false],
      [20 * KiB, false],
      [7, false],
    ]);
    expect(pieces[0]!.payload[999]).toBe(999 % 256);
    expect(pieces[1]!.payload).toBe(large);
  });

  it("gathers no further than the credit", () => {
    const { half } = sender("bytes", 5);
    for (const word of ["ab", "cd", "ef"]) half.write(new TextEncoder().encode(word));
    expect(text(half.pull(100)!.payload)).toBe("abcd");
    expect(text(half.pull(100)!.payload)).toBe("e");
    half.granted(10);
    expect(text(half.pull(100)!.payload)).toBe("f");
  });

  it("asks to wait at the high water mark, and says once when there is room again", () => {
    const { half } = sender("bytes", 8, 10);
    let room = 0;
    half.onRoom = () => void room++;
    expect([half.write(bytes(9)), half.write(bytes(3)), half.hasRoom]).toEqual([true, false, false]);
    expect(half.pull(1)!.payload.length).toBe(4); // never less than a character
    expect([room, half.hasRoom]).toEqual([1, true]);
    half.pull(100);
    expect(room).toBe(1);
  });

  it("an empty chunk is not sent", () => {
    const { half, told } = sender();
    expect(half.write(new Uint8Array(0))).toBe(true);
    expect([told.take(), half.pull(10)]).toEqual([[], undefined]);
  });
});

describe("a writer's end", () => {
  it("S8: the end goes with the last data, or alone, and nothing after it", () => {
    const together = sender();
    together.half.write(bytes(3));
    together.half.end();
    expect(brief(pullAll(together.half))).toEqual([[3, true]]);
    expect(together.half.state).toBe("ended");

    const { half, told } = sender("bytes", 3);
    half.write(bytes(3));
    pullAll(half);
    told.take();
    half.end();
    expect(told.take()).toEqual([["ready", 1]]); // needs no credit
    expect(brief(pullAll(half))).toEqual([[0, true]]);
    expect([half.write(bytes(1)), half.pull(10), half.state, half.isOver]).toEqual([
      false,
      undefined,
      "ended",
      true,
    ]);
    half.end();
    half.reset(1, "late");
    half.lose(new Error("late"));
    expect([told.take(), half.error]).toEqual([[], undefined]);
  });

  it("says once that it is over, and lets the writer that waits for room go on", () => {
    const { half } = sender("bytes", 1, 1);
    const said: unknown[] = [];
    half.onOver = (error) => void said.push(error?.code ?? "ended");
    half.onRoom = () => void said.push("room");
    half.write(bytes(2));
    half.reset(StreamCode.cancelled, "enough");
    half.reset(StreamCode.internal, "again");
    half.lose(new Error("gone"));
    expect(said).toEqual([1, "room"]);
    expect(half.write(bytes(1))).toBe(false);
  });

  it("S9: a stop discards what is queued and is answered by a reset with its code, also when the end is written", () => {
    for (const ends of [false, true]) {
      const { half, told } = sender("bytes", 4);
      half.write(bytes(100));
      if (ends) half.end();
      pullAll(half);
      told.take();
      half.reset(1234, "no more", "peer");
      expect(told.take()).toEqual([["reset", 1, 1234, "no more"]]);
      expect([half.state, half.queued, half.canSend, half.pull(10)]).toEqual(["reset", 0, false, undefined]);
      expect(half.error).toMatchObject({ code: 1234, by: "peer", message: "no more" });
      half.granted(1000);
      expect(told.take()).toEqual([]);
    }
  });

  it("a reset carries its data, and its cause stays here", () => {
    const { half, told } = sender();
    const cause = new Error("disk");
    half.reset(1000, "failed", "us", { data: { at: 7 }, cause });
    expect(told.take()).toEqual([["reset", 1, 1000, "failed", { at: 7 }]]);
    expect(half.error).toMatchObject({ by: "us", cause });
  });

  it("L1: where the session is gone the writer is told why, and the peer nothing", () => {
    const { half, told } = sender();
    half.write(bytes(3));
    told.take();
    const cause = new Error("cable");
    half.lose(cause);
    expect(told.take()).toEqual([]);
    expect(half.error).toMatchObject({ code: StreamCode.sessionEnded, cause });
    expect([half.state, half.queued]).toEqual(["lost", 0]);
  });
});

describe("the last credit", () => {
  it("L2: what the credit covers is still sent; one that needs more fails at once, with 7", () => {
    const { half, told } = sender("bytes", 10);
    half.write(bytes(10));
    told.take();
    half.lastCredit(new Error("gone"));
    expect(told.take()).toEqual([]);
    expect(brief(pullAll(half))).toEqual([[10, false]]);
    half.write(bytes(1));
    expect(told.take()).toEqual([["reset", 1, StreamCode.sessionEnded, NO_MORE]]);
    expect(half.error).toMatchObject({ code: StreamCode.sessionEnded, by: "peer" });
  });

  it("L2: a writer that waits for credit already fails in the same moment", () => {
    const { half, told } = sender("bytes", 10);
    half.write(bytes(11));
    pullAll(half);
    told.take();
    half.lastCredit(new Error("gone"));
    expect(told.take()).toEqual([["reset", 1, StreamCode.sessionEnded, NO_MORE]]);
  });

  it("L2: a write that the credit does not cover whole fails once the credit is used", () => {
    const { half } = sender("bytes", 10);
    half.lastCredit(new Error("gone"));
    half.write(bytes(11));
    expect(half.state).toBe("open");
    expect(brief(pullAll(half))).toEqual([[10, false]]);
    expect(half.state).toBe("reset");
  });

  it("L2: an end needs no credit", () => {
    const { half } = sender("bytes", 2);
    half.lastCredit(new Error("gone"));
    half.write(bytes(2));
    half.end();
    expect(brief(pullAll(half))).toEqual([[2, true]]);
    expect(half.error).toBe(undefined);
  });
});
