import { MAX_STREAM } from "@sluice/codec";
import { describe, expect, it } from "vitest";
import { ReceiveHalf } from "./receive-half.ts";
import { Registry, type Half } from "./registry.ts";
import { SendHalf } from "./send-half.ts";
import { Told } from "./testing.ts";

const writer = (id: number): Half => new SendHalf(id, "bytes", 4096, 4096, new Told());
const reader = (id: number): Half =>
  new ReceiveHalf(id, "bytes", { window: 4096, item: 1, depth: 1 }, new Told());

describe("the registry", () => {
  it("S2: the initiator allocates odd ids, the acceptor even ones, and none twice", () => {
    const [a, b] = [new Registry("initiator"), new Registry("acceptor")];
    expect([a.allocate(), a.allocate(), b.allocate(), b.allocate()]).toEqual([1, 3, 2, 4]);
  });

  it("S2: the peer may mention ids of its own parity above its earlier messages', up to 2^31-1", () => {
    const registry = new Registry("initiator");
    registry.add(reader(4));
    const above = registry.highestPeers;
    expect(above).toBe(4);
    expect([2, 4, 6, 8].map((id) => registry.mayMention(id, above))).toEqual([false, false, true, true]);
    expect([1, 7, 0, -2, 2 ** 31].map((id) => registry.mayMention(id, above))).toEqual(
      Array.from({ length: 5 }, () => false),
    );
    registry.add(reader(8));
    expect([registry.mayMention(6, above), registry.mayMention(8, above)]).toEqual([true, false]);
    const acceptor = new Registry("acceptor");
    expect([acceptor.mayMention(MAX_STREAM, 0), acceptor.mayMention(2, 0)]).toEqual([true, false]);
  });

  it("S13: tells a stream that is gone from one that never was, on either side's ids", () => {
    const registry = new Registry("initiator");
    const [ours, theirs] = [writer(5), reader(4)];
    registry.add(ours);
    registry.add(theirs);
    expect([registry.find(5), registry.find(4)]).toEqual([ours, theirs]);
    registry.remove(ours);
    registry.remove(theirs);
    expect([5, 3, 7, 4, 2, 6].map((id) => registry.find(id))).toEqual([
      "gone",
      "gone",
      "never",
      "gone",
      "gone",
      "never",
    ]);
    expect(registry.find(0)).toBe("gone"); // which the codec does not let pass
  });

  it("S14: counts what each side has open by mention, whoever writes", () => {
    const registry = new Registry("acceptor");
    const halves = [writer(1), reader(3), writer(2)];
    for (const half of halves) registry.add(half);
    expect([registry.size, registry.openByPeer, registry.openByUs]).toEqual([3, 2, 1]);
    registry.remove(halves[0]!);
    registry.remove(halves[0]!);
    expect([registry.size, registry.openByPeer, registry.openByUs]).toEqual([2, 1, 1]);
  });

  it("S13: three grants or stops that crossed the end of a stream we wrote are expected", () => {
    const registry = new Registry("initiator");
    const half = writer(1);
    registry.add(half);
    registry.remove(half);
    registry.remove(half);
    expect(Array.from({ length: 4 }, () => registry.crossed())).toEqual([true, true, true, false]);
    const read = reader(2);
    registry.add(read);
    registry.remove(read);
    expect(registry.crossed()).toBe(false);
  });

  it("takes out everything at the end, the latest first, and forgets no id", () => {
    const registry = new Registry("initiator");
    const halves = [writer(1), reader(2), writer(3)];
    for (const half of halves) registry.add(half);
    expect(registry.clear()).toEqual(halves.reverse());
    expect([registry.size, registry.openByPeer, registry.openByUs, [...registry.values()]]).toEqual([
      0,
      0,
      0,
      [],
    ]);
    expect(registry.find(3)).toBe("gone");
  });
});
