// Memory for large messages comes from the transport and goes back to it: what was received must not change by that.
import type { Transport } from "@sluice/transport";
import { expect, it } from "vitest";
import { joined } from "./pairs.testing.ts";

const SIZES = [64 * 1024 + 12, 64 * 1024, 20_000, 16_000];
const COUNT = 400;

/** A message that tells its number in every byte it has. */
function numbered(transport: Transport, n: number): Uint8Array {
  return transport.allocate!(SIZES[n % SIZES.length]!).fill(n % 251);
}

it.each(["near", "far"] as const)(
  "memory is used again only once its message has left: the %s end sends to one who is slow, and keeps all",
  async (side) => {
    await using all = await joined({ limits: { highWater: 4 * 1024 * 1024 } });
    const [from, to] = side === "near" ? [all.near, all.far] : [all.far, all.near];
    const kept: Uint8Array[] = [];
    const buffers = new Set<ArrayBufferLike>();
    let sent = 0;
    const send = (): void => {
      while (sent < COUNT) {
        const message = numbered(from, sent++);
        buffers.add(message.buffer);
        if (!from.write([message])) return;
      }
      from.close();
    };
    const over = new Promise<void>((resolve) => {
      from.start({ onData() {}, onDrain: send, onEnd() {}, onClose: () => {} });
      to.start({
        onData: (chunk) => void kept.push(chunk as Uint8Array),
        onDrain() {},
        onEnd: resolve,
        onClose() {},
      });
    });
    to.pause();
    send();
    to.resume();
    await over;

    expect(kept.length).toBe(COUNT);
    const wrong = kept.filter(
      (message, n) => message.length !== SIZES[n % SIZES.length] || message.some((byte) => byte !== n % 251),
    );
    expect(wrong.length).toBe(0);
    // Otherwise this has shown nothing.
    expect(buffers.size).toBeLessThan(COUNT);
  },
);
