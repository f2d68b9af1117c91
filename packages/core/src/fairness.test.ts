import type { ReceiveHalf, SendHalf } from "@sluice/streams";
import { describe, expect, it } from "vitest";
import { Pair, TestStream } from "./testing.ts";

const MiB = 1024 * 1024;
const bytesOf = (chunks: readonly (Uint8Array | string)[]): number =>
  chunks.reduce((sum, chunk) => sum + chunk.length, 0);

function writing(n: number, options = {}): { pair: Pair; writers: SendHalf[]; readers: ReceiveHalf[] } {
  const pair = Pair.greeted({ acceptor: { limits: { window: 4 * MiB, ...options } } });
  const streams = Array.from({ length: n }, () => new TestStream("bytes", "sender"));
  pair.a.call("m", streams);
  pair.settle();
  return { pair, writers: streams.map(({ send }) => send), readers: pair.b.seen.received as ReceiveHalf[] };
}

describe("one write", () => {
  it("holds a bounded amount of stream data, less beside calls, and asks to be asked again", () => {
    const { pair, writers } = writing(1);
    writers[0]!.write(new Uint8Array(3 * MiB));
    const beside = bytesOf(pair.a.core.flush());
    expect(beside).toBeGreaterThan(48 * 1024);
    expect(beside).toBeLessThan(80 * 1024);
    pair.b.seen.calls[0]!.succeed(null);
    pair.settle();
    writers[0]!.write(new Uint8Array(900_000));
    const alone = bytesOf(pair.a.core.flush());
    expect(alone).toBeGreaterThan(200 * 1024);
    expect(alone).toBeLessThan(320 * 1024);
  });

  it("carries a small call before what waits of a large stream", () => {
    const { pair, writers } = writing(1);
    writers[0]!.write(new Uint8Array(3 * MiB));
    pair.a.core.flush();
    pair.a.call("small");
    const [first] = pair.a.core.flush();
    expect(new TextDecoder().decode((first as Uint8Array).subarray(12, 70))).toContain('"method":"small"');
  });

  it("shares between streams by bytes", () => {
    const { pair, writers, readers } = writing(4);
    for (const writer of writers) writer.write(new Uint8Array(MiB));
    for (let i = 0; i < 4; i++) for (const chunk of pair.a.core.flush()) pair.b.core.receive(chunk, 0);
    const arrived = readers.map(({ window }) => window.arrived);
    expect(Math.max(...arrived) - Math.min(...arrived)).toBeLessThanOrEqual(17 * 1024);
    expect(Math.min(...arrived)).toBeGreaterThan(0);
  });

  it("F6: gathers everything a turn produces, whatever its kind", () => {
    const pair = Pair.greeted();
    for (let i = 0; i < 100; i++) pair.a.call("m", [i]);
    pair.a.core.notify("note", undefined);
    expect(pair.a.core.flush().length).toBe(1);
    expect(pair.a.core.flush()).toEqual([]);
  });

  it("F5: on a message transport each chunk holds whole frames", () => {
    const pair = Pair.greeted({
      unit: "messages",
      carry: (chunks) => {
        for (const chunk of chunks) {
          if (typeof chunk === "string") continue;
          const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.length);
          let at = 0;
          while (at < chunk.length) at += 12 + view.getUint32(at);
          expect(at).toBe(chunk.length);
        }
        return chunks;
      },
    });
    const body = new TestStream("bytes", "sender");
    pair.a.call("m", [body, "x".repeat(200_000)]);
    pair.settle();
    for (const n of [1, 100, 3000, 50_000, 70_000]) body.send.write(new Uint8Array(n));
    body.send.end();
    pair.settle();
    expect((pair.b.seen.received[0] as ReceiveHalf).window.arrived).toBe(123_101);
    expect(pair.b.core.error).toBe(undefined);
  });
});

describe("a reader that does not read", () => {
  it("S6a: holds its own writer alone; other streams, calls and both directions go on", () => {
    const { pair, writers, readers } = writing(2, { window: 4096 });
    const [stuck, moving] = writers as [SendHalf, SendHalf];
    stuck.write(new Uint8Array(10_000));
    moving.write(new Uint8Array(10_000));
    moving.end();
    let read = 0;
    for (let i = 0; i < 10; i++) {
      pair.settle();
      for (let chunk = readers[1]!.read(); chunk !== undefined; chunk = readers[1]!.read())
        read += (chunk as Uint8Array).length;
    }
    expect([read, stuck.window.sent, readers[0]!.window.unread]).toEqual([10_000, 4096, 4096]);
    const calls = [pair.a.call("m"), pair.b.call("m")];
    pair.settle();
    for (const end of [pair.a, pair.b]) end.seen.calls.at(-1)!.succeed(1);
    pair.settle();
    expect(calls.map(({ outcomes }) => outcomes.length)).toEqual([1, 1]);
  });

  it("S6a: beyond the cap windows do not grow, and a stream that is read is granted its first window all the same", () => {
    const { pair, writers, readers } = writing(3, { window: 4096, windowMax: MiB, unread: 4096 });
    for (const writer of writers) writer.write(new Uint8Array(200_000));
    for (let i = 0; i < 200; i++) {
      pair.settle();
      for (const reader of readers) while (reader.read() !== undefined);
    }
    expect(readers.map(({ window }) => window.arrived)).toEqual([200_000, 200_000, 200_000]);
    expect(readers.map(({ window }) => window.size).reduce((a, b) => a + b)).toBe(4 * 4096);
  });

  it("S5: both sides full of data still grant each other more: control never waits behind data", () => {
    const pair = Pair.greeted({
      initiator: { limits: { window: 4096, windowMax: 4096 } },
      acceptor: { limits: { window: 4096, windowMax: 4096 } },
    });
    const [up, down] = [new TestStream("bytes", "sender"), new TestStream("bytes", "receiver")];
    pair.a.call("m", [up, down]);
    pair.settle();
    const [upReader, downWriter] = pair.b.seen.received as [ReceiveHalf, SendHalf];
    up.send.write(new Uint8Array(300_000));
    downWriter.write(new Uint8Array(300_000));
    for (let i = 0; i < 200; i++) {
      pair.settle();
      for (const half of [upReader, down.receive]) while (half.read() !== undefined);
    }
    expect([upReader.window.arrived, down.receive.window.arrived]).toEqual([300_000, 300_000]);
  });
});
