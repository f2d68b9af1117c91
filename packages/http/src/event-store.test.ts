import { describe, expect, it } from "vitest";
import { memoryEventStore, type EventStore, type KeptEvent } from "./event-store.ts";

const event = (seq: number, previous: number, data = `${seq}`): KeptEvent => ({ seq, previous, data });
const seqs = async (store: EventStore, session: string, stream: number, seq: number): Promise<number[]> =>
  (await store.after(session, stream, seq)).map((kept) => kept.seq);

describe("a store in memory", () => {
  it("gives what came after a place, of that stream of that session alone", async () => {
    const store = memoryEventStore();
    for (const seq of [1, 3, 5]) await store.append("a", 0, event(seq, Math.max(0, seq - 2)));
    await store.append("a", 1, event(2, 0));
    await store.append("b", 0, event(4, 0));
    expect(await seqs(store, "a", 0, 0)).toEqual([1, 3, 5]);
    expect(await seqs(store, "a", 0, 1)).toEqual([3, 5]);
    expect(await seqs(store, "a", 1, 0)).toEqual([2]);
    expect(await seqs(store, "b", 0, 0)).toEqual([4]);
    expect(await seqs(store, "c", 0, 0)).toEqual([]);
    expect(await seqs(store, "__proto__", 0, 0)).toEqual([]);
  });

  it("forgets a session's oldest events beyond its number", async () => {
    const store = memoryEventStore({ events: 3 });
    for (let seq = 1; seq <= 2000; seq++) await store.append("a", seq % 2, event(seq, Math.max(0, seq - 2)));
    await store.append("b", 0, event(1, 0));
    expect(await seqs(store, "a", 0, 0)).toEqual([1998, 2000]);
    expect(await seqs(store, "a", 1, 0)).toEqual([1999]);
    expect(await seqs(store, "b", 0, 0)).toEqual([1]);
  });

  it("forgets beyond its size, but never the last event", async () => {
    const store = memoryEventStore({ bytes: 10 });
    await store.append("a", 0, event(1, 0, "12345"));
    await store.append("a", 0, event(2, 1, "12345"));
    expect(await seqs(store, "a", 0, 0)).toEqual([1, 2]);
    await store.append("a", 0, event(3, 2, "x".repeat(100)));
    expect(await seqs(store, "a", 0, 0)).toEqual([3]);
    await store.append("a", 0, event(4, 3, ""));
    expect(await seqs(store, "a", 0, 0)).toEqual([4]);
  });

  it("keeps nothing of a session that is over", async () => {
    const store = memoryEventStore();
    await store.append("a", 0, event(1, 0));
    await store.forget("a");
    expect(await seqs(store, "a", 0, 0)).toEqual([]);
  });
});
