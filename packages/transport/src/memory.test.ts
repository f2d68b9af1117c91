import { expect, it } from "vitest";
import { memoryPair } from "./memory.ts";
import type { Transport } from "./transport.ts";

function record(transport: Transport): string[] {
  const seen: string[] = [];
  transport.start({
    onData: (chunk) => seen.push(typeof chunk === "string" ? chunk : `${chunk.length} bytes`),
    onDrain: () => seen.push("drain"),
    onEnd: () => seen.push("end"),
    onClose: (error) => seen.push(error === undefined ? "close" : `close: ${error.code}`),
  });
  return seen;
}

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
};

it("hands over everything written in one turn in one microtask, in order", async () => {
  const [left, right] = memoryPair({ unit: "messages" });
  record(left);
  const seen = record(right);
  left.write(["a", "b"]);
  left.write(["c"]);
  expect(seen).toEqual([]);
  await Promise.resolve();
  expect(seen).toEqual(["a", "b", "c"]);
});

it("passes the very same memory on", async () => {
  const [left, right] = memoryPair();
  const chunk = new Uint8Array(3);
  record(left);
  const arrived = new Promise((resolve) =>
    right.start({ onData: resolve, onDrain() {}, onEnd() {}, onClose() {} }),
  );
  left.write([chunk]);
  expect(await arrived).toBe(chunk);
});

it("ends when both have closed, each told once", async () => {
  const [left, right] = memoryPair({ unit: "messages" });
  const [atLeft, atRight] = [record(left), record(right)];
  left.write(["last"]);
  left.close();
  await turns();
  right.write(["still here"]);
  right.close();
  right.close();
  await turns();
  expect(atRight).toEqual(["last", "end", "close"]);
  expect(atLeft).toEqual(["still here", "end", "close"]);
});

it("says no above the high water and calls back when half is taken", async () => {
  const [left, right] = memoryPair({ highWater: 8 });
  const [atLeft, atRight] = [record(left), record(right)];
  right.pause();
  expect(left.write([new Uint8Array(8)])).toBe(true);
  expect(left.write([new Uint8Array(1)])).toBe(false);
  await turns();
  expect([atLeft, atRight]).toEqual([[], []]);
  right.resume();
  await turns();
  expect(atLeft).toEqual(["drain"]);
  expect(atRight).toEqual(["8 bytes", "1 bytes"]);
});

it("an abort drops what waits and closes both ends", async () => {
  const [left, right] = memoryPair({ unit: "messages" });
  const [atLeft, atRight] = [record(left), record(right)];
  left.write(["lost"]);
  left.abort();
  await turns();
  expect(left.write(["late"])).toBe(false);
  expect(atLeft).toEqual(["close"]);
  expect(atRight).toEqual(["close: aborted"]);
});

it("refuses text where the unit is bytes", () => {
  const [left] = memoryPair();
  record(left);
  expect(() => left.write(["text"])).toThrow(TypeError);
});

it("keeps what came before the start", async () => {
  const [left, right] = memoryPair({ unit: "messages" });
  record(left);
  left.write(["early"]);
  left.close();
  await turns();
  const seen = record(right);
  await turns();
  expect(seen).toEqual(["early", "end"]);
});
