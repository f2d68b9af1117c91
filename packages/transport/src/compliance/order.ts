import type { Chunk } from "../transport.ts";
import { bothWays, closeOnEnd, type ComplianceCase } from "./case.ts";
import { check } from "./end.ts";
import { pattern } from "./pattern.ts";

const SIZES = [1, 2, 3, 60, 125, 126, 127, 1023, 4096, 65535, 65536, 65537, 300_000, 1024 * 1024];
const TEXTS = ["", "a", "{}", "ä€😀", "\u2028", "x".repeat(70_000)];

/** Everything arrives, in order, and as what it was. */
export const orderCases: readonly ComplianceCase[] = [
  ...bothWays("chunks of every size arrive in order, both ways at once", {}, async ({ near, far }) => {
    let total = 0;
    for (const end of [near, far]) {
      for (const size of SIZES) end.transport.write([pattern((end.sent += size) - size, size)]);
      total = end.sent;
    }
    await near.until(() => near.received >= total);
    await far.until(() => far.received >= total);
    // Only now: the memory of the first chunk is still the receiver's when the last has come.
    near.expectPattern(total);
    far.expectPattern(total);
    if (near.transport.unit === "messages") {
      check(
        String(far.chunks.map((chunk) => chunk.length)) === String(SIZES),
        "messages were split or merged",
      );
    }
  }),

  ...bothWays("a list of chunks arrives like its chunks one by one", {}, async ({ near, far }) => {
    const list: Uint8Array[] = [];
    for (let at = 0; at < 300_000; at += 12 + 3000) list.push(pattern(at, 12), pattern(at + 12, 3000));
    const total = list.length * 1506;
    near.transport.write([]);
    near.transport.write(list);
    await far.until(() => far.received >= total);
    far.expectPattern(total);
    if (near.transport.unit === "messages")
      check(far.chunks.length === list.length, "messages were split or merged");
  }),

  ...bothWays("an empty chunk is a message, or nothing", {}, async ({ near, far }) => {
    near.transport.write([new Uint8Array(0), pattern(0, 5), new Uint8Array(0)]);
    near.transport.write([new Uint8Array(0)]);
    near.transport.write([pattern(5, 5)]);
    await far.until(() => far.received >= 10);
    far.expectPattern(10);
    if (near.transport.unit === "messages" && near.transport.encoding !== "frames") {
      check(String(far.chunks.map((chunk) => chunk.length)) === "0,5,0,0,5", "empty messages did not arrive");
    }
  }),

  ...bothWays(
    "text and binary arrive as what they were, and bytes and frames refuse text",
    {},
    async ({ near, far }) => {
      if (near.transport.unit === "bytes" || near.transport.encoding === "frames") {
        let thrown: unknown;
        try {
          near.transport.write(["text"]);
        } catch (error) {
          thrown = error;
        }
        check(thrown instanceof TypeError, "text where only bytes travel is a TypeError");
        return;
      }
      const sent: Chunk[] = TEXTS.flatMap((text) => [text, new TextEncoder().encode(text)]);
      near.transport.write(sent);
      await far.until(() => far.chunks.length >= sent.length);
      for (const [at, chunk] of sent.entries())
        check(same(chunk, far.chunks[at]), `message ${at} came as another`);
    },
  ),

  ...bothWays(
    "a hundred thousand small chunks arrive in order",
    { far: closeOnEnd },
    async ({ near, far }) => {
      const total = 100_000 * 60;
      await near.send(total, 60);
      near.transport.close();
      await far.until(() => far.ends > 0);
      far.expectPattern(total);
      if (near.transport.unit === "messages")
        check(far.chunks.length === 100_000, "messages were split or merged");
      await near.closedOrderly();
    },
  ),

  ...bothWays("64 MiB arrive unharmed", { far: closeOnEnd }, async ({ near, far }) => {
    const total = 64 * 1024 * 1024;
    await near.send(total, 65536);
    near.transport.close();
    await far.until(() => far.ends > 0);
    far.expectPattern(total);
    await near.closedOrderly();
  }),

  ...bothWays(
    "an answer may be written from within onData",
    {
      far: (end) => ({ onData: (chunk) => void end().transport.write([chunk]) }),
      near: (end) => ({
        onData() {
          const { received, sent } = end();
          if (received === sent && sent < 60_000) end().fill(sent + 60, 60);
        },
      }),
    },
    async ({ near }) => {
      near.push(60, 60);
      await near.until(() => near.received >= 60_000);
      near.expectPattern(60_000);
    },
  ),

  ...bothWays("what was sent before the far end started arrives", { start: false }, async ({ near, far }) => {
    near.start();
    near.push(50_000, 1000);
    await Promise.resolve();
    far.start();
    await far.until(() => far.received >= 50_000);
    far.expectPattern(50_000);
  }),
];

function same(a: Chunk, b: Chunk | undefined): boolean {
  if (typeof a === "string" || typeof b === "string" || b === undefined) return a === b;
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
