import { describe, expect, it } from "vitest";
import { StreamCode, StreamError } from "./error.ts";
import { ForeignRegistry, type ForeignHalf } from "./foreign.ts";
import { text, utf8 } from "./testing.ts";

function setup(): { registry: ForeignRegistry<string>; paused: boolean[] } {
  const paused: boolean[] = [];
  return { registry: new ForeignRegistry<string>((now) => void paused.push(now)), paused };
}
const readAll = (half: ForeignHalf<string>): string[] => {
  const all: string[] = [];
  for (let bytes = half.read(); bytes !== undefined; bytes = half.read()) all.push(text(bytes));
  return all;
};

describe("a foreign stream", () => {
  it("hands on what arrives, and then its end", () => {
    const { registry } = setup();
    const half = registry.open("body", { policy: "fail" });
    let said = 0;
    half.onReadable = () => void said++;
    expect(registry.arrive("body", utf8("a"))).toBe(true);
    registry.arrive("body", utf8("b"));
    half.end();
    half.end();
    expect([half.isOver, half.queued, half.state, registry.size]).toEqual([false, 2, "ended", 0]);
    expect(readAll(half)).toEqual(["a", "b"]);
    expect([half.isOver, half.error, said >= 2]).toEqual([true, undefined, true]);
    half.fail(new StreamError(StreamCode.internal, "peer", "late"));
    expect(half.error).toBe(undefined);
  });

  it("a chunk for a key that nobody opened, or that is over, is dropped", () => {
    const { registry } = setup();
    expect(registry.arrive("nobody", utf8("a"))).toBe(false);
    registry.open("body", { policy: "fail" }).end();
    expect(registry.arrive("body", utf8("a"))).toBe(false);
  });

  it("a key that is open cannot be opened again, and its stream is undisturbed; afterwards it can", () => {
    const { registry } = setup();
    const half = registry.open("body", { policy: "fail" });
    expect(() => registry.open("body", { policy: "fail" })).toThrow("open");
    expect(registry.get("body")).toBe(half);
    half.end();
    const next = registry.open("body", { policy: "pause" });
    half.stop();
    expect(registry.get("body")).toBe(next);
  });

  it("`fail`: the 65th unread chunk of 64 fails that stream alone, after what had arrived", () => {
    const { registry, paused } = setup();
    const half = registry.open("slow", { policy: "fail", chunks: 64 });
    const other = registry.open("other", { policy: "fail", chunks: 64 });
    for (let i = 0; i < 65; i++) registry.arrive("slow", utf8(String(i)));
    registry.arrive("other", utf8("fine"));
    expect([half.state, registry.size, paused]).toEqual(["failed", 1, []]);
    expect(half.error).toMatchObject({ code: StreamCode.limit, by: "us" });
    expect(readAll(half).length).toBe(64);
    expect([half.isOver, half.error?.message]).toEqual([
      true,
      "stream not read in time: 64 chunks, 118 bytes waiting",
    ]);
    expect(readAll(other)).toEqual(["fine"]);
  });

  it("`fail` counts bytes, too", () => {
    const { registry } = setup();
    const half = registry.open("body", { policy: "fail", bytes: 4 });
    registry.arrive("body", utf8("abcd"));
    registry.arrive("body", utf8("e"));
    expect(half.error?.code).toBe(StreamCode.limit);
  });

  it("`pause`: stops the transport at the bound, and goes on once half has been read", () => {
    const { registry, paused } = setup();
    const half = registry.open("body", { policy: "pause", chunks: 4 });
    for (const word of ["a", "b", "c", "d", "e"]) registry.arrive("body", utf8(word));
    expect([paused, half.state]).toEqual([[true], "open"]);
    half.read();
    half.read();
    expect(paused).toEqual([true]);
    half.read();
    expect(paused).toEqual([true, false]);
    expect(readAll(half)).toEqual(["d", "e"]);
  });

  it("`pause`: two full streams pause once, and go on when both are read, stopped or over", () => {
    for (const over of [
      (half: ForeignHalf<string>) => half.stop(),
      (half: ForeignHalf<string>) => half.end(),
      (half: ForeignHalf<string>) => void half.read(),
      (half: ForeignHalf<string>) => half.fail(new StreamError(1, "peer", "")),
    ]) {
      const { registry, paused } = setup();
      const halves = ["x", "y"].map((key) => registry.open(key, { policy: "pause", chunks: 1 }));
      registry.arrive("x", utf8("1"));
      registry.arrive("y", utf8("1"));
      over(halves[0]!);
      expect(paused).toEqual([true]);
      over(halves[1]!);
      expect(paused).toEqual([true, false]);
    }
  });

  it("stopped, it drops what waits and takes no more", () => {
    const { registry } = setup();
    const half = registry.open("body", { policy: "fail" });
    registry.arrive("body", utf8("a"));
    half.stop();
    half.stop();
    half.arrive(utf8("b"));
    half.end();
    expect([half.isOver, half.queued, half.read(), half.error]).toEqual([true, 0, undefined, undefined]);
  });

  it("L2: a session that is lost fails every stream, the latest first, after what had arrived", () => {
    const { registry } = setup();
    const order: string[] = [];
    const halves = ["x", "y"].map((key) => {
      const half = registry.open(key, { policy: "fail" });
      half.onReadable = () => void order.push(key);
      return half;
    });
    registry.arrive("x", utf8("a"));
    const cause = new Error("cable");
    registry.lose(cause);
    expect(order).toEqual(["x", "y", "x"]);
    expect(readAll(halves[0]!)).toEqual(["a"]);
    for (const half of halves)
      expect([half.isOver, half.error?.code, half.error?.cause]).toEqual([true, 7, cause]);
    expect(registry.size).toBe(0);
  });

  it("a bound over all streams fails the one that holds most, after what it holds; the others are undisturbed", () => {
    const registry = new ForeignRegistry<string>(() => {}, { bytes: 10 });
    const hog = registry.open("hog", { policy: "fail", overflow: (bound) => `too much (${bound})` });
    const other = registry.open("other", { policy: "fail" });
    registry.arrive("hog", new Uint8Array(8));
    registry.arrive("other", new Uint8Array(2));
    registry.arrive("other", new Uint8Array(3));
    expect([hog.state, hog.error?.message, other.state, registry.held]).toEqual([
      "failed",
      "too much (all)",
      "open",
      13,
    ]);
    expect([hog.read()?.length, hog.isOver, registry.held]).toEqual([8, true, 5]);
  });

  it("with as much again held by those that failed, the stream that data comes for fails", () => {
    const registry = new ForeignRegistry<string>(() => {}, { bytes: 10 });
    const first = registry.open("first", { policy: "fail" });
    const second = registry.open("second", { policy: "fail" });
    const third = registry.open("third", { policy: "fail" });
    registry.arrive("first", new Uint8Array(10));
    registry.arrive("second", new Uint8Array(9));
    registry.arrive("third", new Uint8Array(2));
    expect([first.state, second.state, third.error?.code, registry.held]).toEqual([
      "failed",
      "open",
      StreamCode.limit,
      19,
    ]);
    first.stop();
    second.stop();
    expect([registry.held, registry.size]).toEqual([0, 0]);
  });
});
