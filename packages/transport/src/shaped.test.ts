import { expect, it } from "vitest";
import { mismatch, pattern } from "./compliance/pattern.ts";
import type { TransportError } from "./error.ts";
import type { Shape } from "./lane.ts";
import { shapedPair } from "./shaped.ts";
import type { Transport } from "./transport.ts";

/** A clock the test turns: runs what is due in order of time. */
class Clock {
  now = 0;
  #due: { readonly at: number; readonly fn: () => void }[] = [];
  readonly schedule = (fn: () => void, ms: number): void => void this.#due.push({ at: this.now + ms, fn });

  async run(until = Infinity): Promise<void> {
    for (;;) {
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
      this.#due.sort((a, b) => a.at - b.at);
      const next = this.#due[0];
      if (next === undefined || next.at > until) break;
      this.#due.shift();
      this.now = next.at;
      next.fn();
    }
    if (until !== Infinity) this.now = until;
  }
}

class Seen {
  readonly chunks: Uint8Array[] = [];
  bytes = 0;
  over: { readonly error: TransportError | undefined } | undefined;

  constructor(transport: Transport) {
    transport.start({
      onData: (chunk) => {
        this.chunks.push(chunk as Uint8Array);
        this.bytes += chunk.length;
      },
      onDrain() {},
      onEnd() {},
      onClose: (error) => (this.over = { error }),
    });
  }
}

function link(shape: Shape): {
  clock: Clock;
  left: Transport;
  atLeft: Seen;
  right: Transport;
  atRight: Seen;
} {
  const clock = new Clock();
  const [left, right] = shapedPair({ schedule: clock.schedule, ...shape });
  return { clock, left, atLeft: new Seen(left), right, atRight: new Seen(right) };
}

async function cuts(seed: number): Promise<number[]> {
  const { clock, left, atRight } = link({ seed });
  for (let at = 0; at < 50_000; at += 5000) left.write([pattern(at, 5000)]);
  await clock.run();
  let offset = 0;
  for (const chunk of atRight.chunks) {
    expect(mismatch(offset, chunk)).toBe(-1);
    offset += chunk.length;
  }
  expect(offset).toBe(50_000);
  return atRight.chunks.map((chunk) => chunk.length);
}

it("splits and joins chunks, the same way for the same seed", async () => {
  const first = await cuts(1);
  expect(await cuts(1)).toEqual(first);
  expect(await cuts(2)).not.toEqual(first);
  expect(Math.min(...first)).toBeLessThan(5000);
  expect(Math.max(...first)).toBeGreaterThan(5000);
});

it("hands on late, both ways", async () => {
  const { clock, left, right, atLeft, atRight } = link({ delay: [10, 20] });
  left.write([new Uint8Array(5)]);
  right.write([new Uint8Array(7)]);
  await clock.run(9);
  expect([atLeft.bytes, atRight.bytes]).toEqual([0, 0]);
  await clock.run(200);
  expect([atLeft.bytes, atRight.bytes]).toEqual([7, 5]);
});

it("lets only so much through in a turn", async () => {
  const { clock, left, atRight } = link({ delay: [10, 10], bytesPerTurn: 100 });
  left.write([new Uint8Array(1000)]);
  await clock.run(35);
  expect(atRight.bytes).toBe(300);
  await clock.run();
  expect([atRight.bytes, clock.now]).toEqual([1000, 100]);
});

it("breaks after so many bytes, and both ends see it", async () => {
  const { clock, left, atLeft, atRight } = link({ cutAfter: 1234 });
  left.write([pattern(0, 5000)]);
  await clock.run();
  expect(atRight.bytes).toBeLessThanOrEqual(1234);
  expect(atLeft.over?.error?.code).toBe("read");
  expect(atRight.over?.error?.code).toBe("aborted");
});

it("stands still for a while, or for good", async () => {
  const once = link({ stall: { after: 100, ms: 1000 }, reshape: false, bytesPerTurn: 100 });
  once.left.write([new Uint8Array(300)]);
  await once.clock.run(999);
  expect(once.atRight.bytes).toBe(100);
  await once.clock.run();
  expect([once.atRight.bytes, once.clock.now]).toEqual([300, 1000]);

  const ever = link({ stall: { after: 0, ms: Infinity } });
  ever.left.write([new Uint8Array(300)]);
  await ever.clock.run();
  expect([ever.atRight.bytes, ever.atRight.over]).toEqual([0, undefined]);
  ever.left.abort();
  await ever.clock.run();
  expect(ever.atLeft.over).toEqual({ error: undefined });
});
