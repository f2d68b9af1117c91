import { describe, expect, it } from "vitest";
import { Scheduler } from "./scheduler.ts";
import { SendHalf, type SendHost } from "./send-half.ts";
import { KiB } from "./testing.ts";

const TURN = 16 * KiB;

function setup(...kinds: readonly ("bytes" | "items")[]): { scheduler: Scheduler; halves: SendHalf[] } {
  const scheduler = new Scheduler();
  const host: SendHost = { ready: (half) => scheduler.ready(half), reset: () => {} };
  const halves = kinds.map((of, i) => new SendHalf(2 * i + 1, of, 1000 * KiB, 1000 * KiB, host));
  return { scheduler, halves };
}

/** Turns of `TURN` bytes, as the outbox gives them. Returns what each stream has sent. */
function turns(scheduler: Scheduler, n: number): Map<number, number> {
  const sent = new Map<number, number>();
  for (let i = 0; i < n; i++) {
    const half = scheduler.next();
    if (half === undefined) break;
    for (let bytes = 0; bytes < TURN;) {
      const piece = half.pull(TURN - bytes);
      if (piece === undefined) break;
      bytes += piece.payload.length + 64;
      sent.set(half.id, (sent.get(half.id) ?? 0) + piece.payload.length + 64);
    }
    if (half.canSend) scheduler.ready(half);
  }
  return sent;
}

describe("the scheduler", () => {
  it("gives streams turns by bytes: small items get as much as large chunks", () => {
    const { scheduler, halves } = setup("bytes", "items", "bytes");
    const [large, items, slow] = halves as [SendHalf, SendHalf, SendHalf];
    large.write(new Uint8Array(900 * KiB));
    for (let i = 0; i < 5000; i++) items.write(new TextEncoder().encode('"abcdefghij"'));
    slow.write(new Uint8Array(900 * KiB));
    const sent = turns(scheduler, 30);
    for (const id of [1, 3, 5]) {
      expect(sent.get(id)).toBeGreaterThanOrEqual(10 * TURN);
      expect(sent.get(id)).toBeLessThan(10 * (TURN + 200));
    }
  });

  it("asks in the order in which they became ready, each once", () => {
    const { scheduler, halves } = setup("bytes", "bytes");
    for (const half of [halves[1]!, halves[0]!, halves[1]!]) half.write(new Uint8Array(1));
    expect(scheduler.isEmpty).toBe(false);
    expect([scheduler.next()?.id, scheduler.next()?.id, scheduler.next()]).toEqual([3, 1, undefined]);
    expect(scheduler.isEmpty).toBe(true);
  });

  it("passes over what can send no more", () => {
    const { scheduler, halves } = setup("bytes", "bytes");
    for (const half of halves) half.write(new Uint8Array(1));
    halves[0]!.reset(1, "");
    expect(scheduler.next()).toBe(halves[1]);
  });

  it("S6a: a stream without credit holds up no other", () => {
    const { scheduler, halves } = setup("bytes", "bytes");
    const [stalled, other] = halves as [SendHalf, SendHalf];
    stalled.window.take(1000 * KiB);
    stalled.write(new Uint8Array(1000));
    other.write(new Uint8Array(1000));
    expect([scheduler.next(), scheduler.next()]).toEqual([other, undefined]);
    stalled.granted(1001 * KiB);
    expect(scheduler.next()).toBe(stalled);
  });

  it("forgets everything when it is cleared", () => {
    const { scheduler, halves } = setup("bytes");
    halves[0]!.write(new Uint8Array(1));
    scheduler.clear();
    expect([scheduler.isEmpty, scheduler.next()]).toEqual([true, undefined]);
  });

  it("gives turns to whatever can say that it can send", () => {
    const scheduler = new Scheduler<{ canSend: boolean }>();
    const [idle, busy] = [{ canSend: false }, { canSend: true }];
    scheduler.ready(idle);
    scheduler.ready(busy);
    expect([scheduler.next(), scheduler.next()]).toEqual([busy, undefined]);
  });
});
