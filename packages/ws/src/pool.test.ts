import { expect, it } from "vitest";
import { Pool } from "./pool.ts";

const LARGEST = 22 * 1024;

it("memory is used again once its message has left, and not before", () => {
  const pool = new Pool();
  const first = pool.take(LARGEST);
  const second = pool.take(20_000);
  expect(second.buffer).not.toBe(first.buffer);
  pool.give(first);
  const third = pool.take(18_000);
  expect([third.buffer === first.buffer, third.length]).toEqual([true, 18_000]);
  expect(pool.take(18_000).buffer).not.toBe(first.buffer);
});

it("a message that is told to have left twice gives its memory once", () => {
  const pool = new Pool();
  const first = pool.take(LARGEST);
  pool.give(first);
  const second = pool.take(LARGEST);
  pool.give(first);
  expect(second.buffer).toBe(first.buffer);
  expect(pool.take(LARGEST).buffer).not.toBe(second.buffer);
});

it("only what was lent is kept: not others' memory, nor a part of a message, nor text", () => {
  const pool = new Pool();
  const lent = pool.take(LARGEST);
  pool.give(new Uint8Array(LARGEST));
  pool.give(lent.subarray(0, 20_000));
  pool.give("x".repeat(LARGEST));
  expect(pool.take(LARGEST).buffer).not.toBe(lent.buffer);
  pool.give(lent);
  expect(pool.take(LARGEST).buffer).toBe(lent.buffer);
});

it("messages that are small, or larger than what a session makes of a stream, have memory of their own size", () => {
  const pool = new Pool();
  for (const bytes of [0, 1, 4096, LARGEST + 1, 300_000]) {
    const own = pool.take(bytes);
    expect([own.length, own.buffer.byteLength]).toEqual([bytes, bytes]);
    pool.give(own);
    expect(pool.take(bytes).buffer).not.toBe(own.buffer);
  }
});

it("it keeps no more than may wait to be sent", () => {
  const pool = new Pool();
  const lent = Array.from({ length: 100 }, () => pool.take(LARGEST));
  for (const message of lent) pool.give(message);
  const known = new Set(lent.map(({ buffer }) => buffer));
  const again = Array.from({ length: 100 }, () => pool.take(LARGEST));
  expect(again.filter(({ buffer }) => known.has(buffer)).length).toBe(64);
});
