import { describe, expect, it } from "vitest";
import { StreamCode } from "./error.ts";
import { ITEM_COST } from "./send-half.ts";
import { chunk, KiB, part, receiver, utf8, whole } from "./testing.ts";
import type { ReceiveHalf } from "./receive-half.ts";

const readAll = (half: ReceiveHalf): unknown[] => {
  const all: unknown[] = [];
  for (let item = half.read(); item !== undefined; item = half.read()) all.push(item);
  return all;
};

describe("an object stream's reader", () => {
  it("S5: counts each item's bytes and 32, in either encoding", () => {
    const { half, told } = receiver("items");
    half.arrive(part('{"a":1}'));
    half.arrive(whole(null));
    expect(half.window.arrived).toBe(7 + 4 + 2 * ITEM_COST);
    expect(told.unread).toBe(half.window.arrived);
    expect(readAll(half)).toEqual([{ a: 1 }, null]);
    expect(told.unread).toBe(0);
  });

  it("F2: joins the parts of an item, wherever they are cut", () => {
    const { half } = receiver("items");
    for (const [json, more] of [
      ['{"a', true],
      ['":"é', true],
      ['"}', false],
      ["2", false],
    ] as const)
      half.arrive(part(json, more));
    expect(half.window.arrived).toBe(10 + 1 + 2 * ITEM_COST);
    expect(readAll(half)).toEqual([{ a: "é" }, 2]);
  });

  it("F2a: bytes on an object stream, an end inside an item, and an item inside an item break the rule", () => {
    expect(receiver("items").half.arrive(chunk("1"))).toBe("F2a");
    const { half } = receiver("items");
    half.arrive(part("[1", true));
    expect(half.arrive(whole(1))).toBe("F2a");
    expect(half.ended(undefined)).toBe("F2a");
    const stopping = receiver("items").half;
    stopping.arrive(part("[1", true));
    stopping.stop(0, "");
    expect(stopping.ended(undefined)).toBe("F2a");
  });

  it("S6: parts of an unfinished item count as read on arrival, so that one larger than the window gets through", () => {
    const { half, told } = receiver("items");
    half.arrive(part(`"${"x".repeat(2047)}`, true));
    expect(told.take()).toEqual([["grant", 1, 2048 + ITEM_COST + 4096]]);
    expect(told.unread).toBe(0);
    half.arrive(part("x".repeat(4000), true));
    half.arrive(part('"'));
    expect(told.unread).toBe(1); // the last part is read with the item
    expect((half.read() as string).length).toBe(6047);
    expect(told.unread).toBe(0);
  });

  it("S6: but not while whole items before it lie unread; they hold the writer", () => {
    const { half, told } = receiver("items");
    half.arrive(part("1"));
    half.arrive(part(`"${"x".repeat(3000)}`, true));
    expect([told.take(), told.unread]).toEqual([[], 1 + 3001 + 2 * ITEM_COST]);
    expect(half.read()).toBe(1);
    expect(told.unread).toBe(0);
    expect(told.take()).toEqual([["grant", 1, half.window.arrived + 4096]]);
  });

  it("S6: an item above the limit ends the stream with code 2, whole or in parts", () => {
    const large = JSON.stringify("x".repeat(100));
    for (const frames of [[part(large)], [part(large.slice(0, 60), true), part(large.slice(60), true)]]) {
      const { half, told } = receiver("items", { item: 100 });
      half.arrive(part("1"));
      for (const frame of frames) expect(half.arrive(frame)).toBe(undefined);
      expect(told.take()).toEqual([
        ["stop", 1, StreamCode.limit],
        ["released", 1],
      ]);
      expect([half.error?.code, half.error?.by, half.isOver, told.unread]).toEqual([2, "us", true, 0]);
      half.wasReset(2, "", undefined);
      expect(half.error?.code).toBe(2);
    }
  });

  it.each([
    ["not JSON", utf8("{oops")],
    ["not UTF-8", Uint8Array.of(0x22, 0xff, 0x22)],
    ["nested too deep", utf8("[".repeat(200) + "]".repeat(200))],
  ])("S7: an item that is %s fails the stream with 3 and stops the peer", (why, payload) => {
    const { half, told } = receiver("items");
    half.arrive(part("1"));
    half.arrive({ ...part(""), size: payload.length, payload });
    half.arrive(part("2"));
    expect(readAll(half)).toEqual([1]);
    expect(told.take()).toEqual([
      ["stop", 1, StreamCode.protocol],
      ["released", 1],
    ]);
    expect(half.error).toMatchObject({ code: StreamCode.protocol, by: "peer" });
    expect(half.error?.message).toContain(why);
    expect(told.unread).toBe(0);
  });

  it("S7: where the peer has ended or reset, a bad item is not told to it, and the items before it are read", () => {
    for (const over of [
      (half: ReceiveHalf) => half.ended(undefined),
      (half: ReceiveHalf) => half.wasReset(1000, "", undefined),
      (half: ReceiveHalf) => half.lose(new Error("cable")),
    ]) {
      const { half, told } = receiver("items");
      half.arrive(part("1"));
      half.arrive(part("oops"));
      half.arrive(part("2"));
      over(half);
      expect(readAll(half)).toEqual([1]);
      expect([half.isOver, half.error?.code]).toEqual([true, StreamCode.protocol]);
      expect([told.take(), told.unread]).toEqual([[["released", 1]], 0]);
    }
  });

  it("F2: a reset, a loss and a stop discard a part item, and keep the whole ones before it", () => {
    for (const [over, kept] of [
      [(half: ReceiveHalf) => half.wasReset(1000, "", undefined), [1]],
      [(half: ReceiveHalf) => half.lose(new Error("cable")), [1]],
      [(half: ReceiveHalf) => half.stop(0, ""), []],
    ] as const) {
      const { half, told } = receiver("items");
      half.arrive(part("1"));
      half.arrive(part("[2", true));
      over(half);
      expect(readAll(half)).toEqual(kept);
      expect([half.isOver, told.unread]).toEqual([true, 0]);
    }
  });

  it("S9: while stopping, items count as they would", () => {
    const { half } = receiver("items");
    half.arrive(part("[1", true));
    half.stop(0, "");
    expect(half.arrive(part(",2]"))).toBe(undefined);
    expect(half.arrive(part("3"))).toBe(undefined);
    expect(half.window.arrived).toBe(5 + 1 + 2 * ITEM_COST);
    expect(half.arrive(part(`"${"x".repeat(4 * KiB)}"`))).toBe("S4");
  });

  it("keeps `__proto__` in an item as a key like any other", () => {
    const { half } = receiver("items");
    half.arrive(part('{"__proto__":{"polluted":true}}'));
    const item = half.read() as Record<string, unknown>;
    expect([Object.hasOwn(item, "__proto__"), (item as any).polluted, ({} as any).polluted]).toEqual([
      true,
      undefined,
      undefined,
    ]);
  });
});
