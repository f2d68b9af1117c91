import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { localClient } from "./local.ts";
import { readsOf } from "./local-reads.ts";
import { upstream } from "./upstream.testing.ts";

const KiB = 1024;

/** A connection into whose memory a test reads. */
function connection(): {
  came: Uint8Array[];
  room: () => number;
  read: (bytes: number, value?: number) => void;
} {
  const came: Uint8Array[] = [];
  const { buffer, callback } = readsOf((chunk) => came.push(chunk) > 0);
  const memory = buffer as () => Uint8Array;
  return {
    came,
    room: () => memory().length,
    read(bytes, value = 0) {
      const into = memory();
      into.fill(value, 0, bytes);
      callback(bytes, into);
    },
  };
}

describe("what a connection is read into", () => {
  it("is more where all of it is filled, and little again once there is less", () => {
    const { room, read } = connection();
    expect(room()).toBe(16 * KiB);
    read(16 * KiB);
    expect(room()).toBe(126 * KiB);
    read(126 * KiB);
    expect(room()).toBe(126 * KiB);
    read(100 * KiB);
    expect(room()).toBe(16 * KiB);
    read(16 * KiB);
    read(10);
    expect(room()).toBe(16 * KiB);
  });

  it("is not kept by a few bytes of it", () => {
    const { came, read } = connection();
    for (const bytes of [10, 16 * KiB, 10, 8 * KiB]) read(bytes);
    expect(came.map(({ buffer }) => buffer.byteLength)).toEqual([10, 16 * KiB, 10, 16 * KiB]);
  });

  it("is not written to once it has been handed on", () => {
    const { came, read } = connection();
    const sizes = [10, 20, 9 * KiB, 16 * KiB, 5, 16 * KiB, 100 * KiB, 30];
    sizes.forEach((bytes, value) => read(bytes, value));
    expect(came.map(({ length }) => length)).toEqual(sizes);
    came.forEach((chunk, value) => expect(chunk.every((byte) => byte === value)).toBe(true));
    expect(new Set(came.map(({ buffer }) => buffer)).size).toBe(came.length);
  });
});

it("a body comes whole in pieces of any size, and each may be transferred away", async () => {
  const sent = randomBytes(4 * 1024 * KiB);
  await using server = await upstream((_, response) => {
    response.setHeader("content-length", sent.length);
    void (async () => {
      for (let at = 0, size = 1; at < sent.length; size = (size * 3) % 300_007) {
        response.write(sent.subarray(at, at + size));
        at += size;
        if (size % 2 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      response.end();
    })();
  });
  using client = localClient();
  for (let round = 0; round < 3; round++) {
    const { body } = await client.requestStream({ url: server.url });
    const came: Uint8Array[] = [];
    for await (const chunk of body) {
      // What is no piece of the head's memory.
      const whole = chunk.byteLength === chunk.buffer.byteLength;
      came.push(whole ? structuredClone(chunk, { transfer: [chunk.buffer as ArrayBuffer] }) : chunk);
    }
    expect(Buffer.concat(came).equals(sent)).toBe(true);
  }
});
