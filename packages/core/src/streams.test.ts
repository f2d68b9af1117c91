import { StreamCode, type ReceiveHalf, type SendHalf } from "@sluice/streams";
import { describe, expect, it } from "vitest";
import { CancelledError } from "./error.ts";
import type { IncomingCall } from "./incoming.ts";
import { Pair, TestStream, type PairOptions } from "./testing.ts";

const utf8 = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

/** A call of `a` that mentions a stream it writes, `up`, and one it reads, `down`. */
function streams(options?: PairOptions): {
  pair: Pair;
  up: SendHalf;
  upReader: ReceiveHalf;
  down: ReceiveHalf;
  downWriter: SendHalf;
  call: IncomingCall;
  cancel: () => void;
} {
  const pair = Pair.greeted(options);
  const [up, down] = [new TestStream("bytes", "sender"), new TestStream("bytes", "receiver")];
  const call = pair.a.call("m", { up, down });
  pair.settle();
  const [upReader, downWriter] = pair.b.seen.received as [ReceiveHalf, SendHalf];
  return {
    pair,
    up: up.send,
    upReader,
    down: down.receive,
    downWriter,
    call: pair.b.seen.calls[0]!,
    cancel: () => pair.a.core.cancel(call.call!, new CancelledError()),
  };
}

/** What either end still knows of streams. */
const left = (pair: Pair): object[] =>
  [pair.a, pair.b].map(({ core }) => {
    const { streams, stopping, queued, unread, granted, credit } = core.stats();
    return { streams, stopping, queued, unread, granted, credit };
  });
const NONE = { streams: 0, stopping: 0, queued: 0, unread: 0, granted: 0, credit: 0 };
const GONE = [NONE, NONE];
const noFaults = (pair: Pair): void => {
  expect([pair.a.seen.faults, pair.b.seen.faults, pair.a.core.error, pair.b.core.error]).toEqual([
    [],
    [],
    undefined,
    undefined,
  ]);
};

for (const encoding of ["frames", "json"] as const)
  describe(`streams in ${encoding}`, () => {
    const options: PairOptions = { initiator: { encodings: [encoding] } };

    it("S4: the writer sends its first window without a round trip; S6: reading half of it grants more", () => {
      const { pair, up, upReader } = streams(options);
      up.write(new Uint8Array(1_000_000));
      pair.settle();
      expect([up.window.sent, upReader.window.arrived, up.queued]).toEqual([262_144, 262_144, 737_856]);
      let read = 0;
      while (read < 131_072) read += (upReader.read() as Uint8Array).length;
      pair.settle();
      expect(up.window.sent).toBeGreaterThan(262_144);
      noFaults(pair);
    });

    it("S8: an end goes after all the data, and then the stream is gone on both ends", () => {
      const { pair, up, upReader, down, downWriter, call } = streams(options);
      up.write(new Uint8Array(3));
      up.end();
      downWriter.end();
      pair.settle();
      expect((upReader.read() as Uint8Array).length).toBe(3);
      expect([upReader.isOver, upReader.error, up.state, down.isOver]).toEqual([
        true,
        undefined,
        "ended",
        true,
      ]);
      call.succeed(null);
      pair.settle();
      expect(left(pair)).toEqual(GONE);
      noFaults(pair);
    });

    it("S9: a reader's stop is answered by a reset with its code, discards what is queued, and the record goes (S12)", () => {
      const { pair, up, upReader, down, downWriter } = streams(options);
      const over: unknown[] = [];
      up.onOver = (error) => void over.push(error?.code, error?.by);
      up.write(new Uint8Array(1_000_000));
      pair.settle();
      upReader.stop(1234, "enough");
      upReader.stop(1, "again");
      down.stop(0, "not wanted");
      expect(pair.b.core.stats()).toMatchObject({ streams: 1, stopping: 1, unread: 0 });
      pair.settle();
      expect(over).toEqual([1234, "peer"]);
      expect([upReader.state, down.state, downWriter.error?.code]).toEqual(["done", "done", 0]);
      expect(left(pair)).toEqual(GONE);
      noFaults(pair);
    });

    it("S9: a stop that crosses the end changes nothing", () => {
      const { pair, up, upReader, down } = streams(options);
      down.stop(0, "");
      pair.settle();
      up.write(new Uint8Array(10));
      up.end();
      const chunks = pair.a.core.flush();
      upReader.stop(5, "too late");
      for (const chunk of chunks) pair.b.core.receive(chunk, 0);
      pair.settle();
      expect([up.state, up.error, upReader.state]).toEqual(["ended", undefined, "done"]);
      expect(left(pair)).toEqual(GONE);
      noFaults(pair);
    });

    it("S9: a stop that comes while the end is written and not sent makes it a reset", () => {
      const { pair, up, upReader } = streams(options);
      up.write(new Uint8Array(1_000_000));
      up.end();
      pair.settle();
      upReader.stop(7, "no more");
      pair.settle();
      expect([up.state, up.error?.code, upReader.error]).toEqual(["reset", 7, undefined]);
      noFaults(pair);
    });

    it("S12: a reset comes after what had been sent, and carries code, message and data", () => {
      const { pair, up, upReader } = streams(options);
      up.write(new Uint8Array(7));
      pair.settle();
      up.write(new Uint8Array(1_000_000));
      up.reset(1001, "disk full", "us", { data: { at: 7 } });
      pair.settle();
      expect((upReader.read() as Uint8Array).length).toBe(7);
      expect(upReader.error).toMatchObject({ code: 1001, by: "peer", message: "disk full", data: { at: 7 } });
      noFaults(pair);
    });

    it("F1: a reset's long message is cut, and data that is large or no JSON is left out", () => {
      for (const data of ["x".repeat(10_000), 1n]) {
        const { pair, up, upReader } = streams(options);
        up.reset(1000, "é\u0001".repeat(5000), "us", { data });
        pair.settle();
        expect(upReader.error?.code).toBe(1000);
        expect([upReader.error!.message.length, upReader.error!.data]).toEqual([501, undefined]);
        noFaults(pair);
      }
    });

    it("S10: a cancel drops both halves on both ends, with code 1", () => {
      const { pair, up, upReader, down, downWriter, call, cancel } = streams(options);
      cancel();
      expect([up.error?.code, down.state]).toEqual([StreamCode.cancelled, "stopping"]);
      pair.settle();
      expect([upReader.error?.code, downWriter.error?.code]).toEqual([1, 1]);
      expect(left(pair)).toEqual(GONE);
      call.succeed(null);
      pair.settle();
      noFaults(pair);
    });

    it("S10: an error answer drops both halves on both ends; on success they live on", () => {
      const failed = streams(options);
      failed.call.fail(new Error("no"));
      failed.pair.settle();
      expect([failed.up.error?.code, failed.downWriter.error?.code]).toEqual([5, 5]);
      expect(left(failed.pair)).toEqual(GONE);
      noFaults(failed.pair);
      const { pair, up, upReader, call } = streams(options);
      call.succeed(null);
      pair.settle();
      up.write(new Uint8Array(5));
      pair.settle();
      expect((upReader.read() as Uint8Array).length).toBe(5);
    });

    it("S11: what the handler did not take when it settles is dropped, with code 0", () => {
      const { pair, up, upReader, downWriter, call } = streams(options);
      upReader.taken = false;
      call.succeed(null);
      pair.settle();
      expect([up.error?.code, up.error?.by, downWriter.isOver]).toEqual([0, "peer", false]);
      noFaults(pair);
    });

    it("S2a: the streams of an answer nobody waits for are dropped, with code 1 after a cancel", () => {
      const { pair, call, cancel } = streams(options);
      const [made, sink] = [new TestStream("items", "sender"), new TestStream("bytes", "receiver")];
      call.succeed([made, sink]);
      cancel();
      pair.settle();
      expect([made.send.error?.code, made.send.error?.by, sink.receive.error?.code]).toEqual([1, "peer", 1]);
      expect([pair.a.seen.received, left(pair)]).toEqual([[], GONE]);
      noFaults(pair);
    });

    it("S3: a result carries streams, whoever writes them", () => {
      const pair = Pair.greeted(options);
      const [items, sink] = [new TestStream("items", "sender"), new TestStream("items", "receiver")];
      pair.b.onCall = (call) => {
        call.succeed({ items, deep: [{ sink }] });
        items.send.write(utf8({ first: "at once" }));
        items.send.end();
      };
      const call = pair.a.call("m");
      pair.settle();
      const [reader, writer] = pair.a.seen.received as [ReceiveHalf, SendHalf];
      expect(call.outcomes).toEqual([{ result: { items: reader, deep: [{ sink: writer }] } }]);
      expect([reader.read(), reader.isOver]).toEqual([{ first: "at once" }, true]);
      writer.write(utf8([1]));
      writer.end();
      pair.settle();
      expect([sink.receive.read(), left(pair)]).toEqual([[1], GONE]);
      noFaults(pair);
    });

    it("F2: an item many times the window gets through in parts, other streams and calls in between", () => {
      const small = { limits: { window: 4096, windowMax: 4096 } };
      const pair = Pair.greeted({ initiator: { ...options.initiator, ...small }, acceptor: small });
      const items = new TestStream("items", "sender");
      pair.a.call("m", items);
      pair.settle();
      const value = ['é€𝄞\\"\n'.repeat(20_000)];
      items.send.write(utf8(1));
      items.send.write(utf8(value));
      items.send.end();
      const half = pair.b.seen.received[0] as ReceiveHalf;
      pair.settle();
      expect([half.read(), half.read()]).toEqual([1, undefined]); // the first held the parts back
      pair.settle();
      expect([half.read(), half.isOver]).toEqual([value, true]);
      noFaults(pair);
    });

    it("S7: an item that is no JSON stops its stream with 3, and the writer learns it", () => {
      if (encoding === "json") return; // there a bad item is a bad message
      const pair = Pair.greeted(options);
      const items = new TestStream("items", "sender");
      pair.a.call("m", items);
      pair.settle();
      items.send.write(new TextEncoder().encode("{oops"));
      pair.settle();
      const half = pair.b.seen.received[0] as ReceiveHalf;
      expect([half.read(), half.error?.code]).toEqual([undefined, 3]);
      pair.settle();
      expect([items.send.error?.code, left(pair)]).toEqual([3, GONE]);
    });

    it("S5: a peer that takes small messages gets small pieces", () => {
      const pair = Pair.greeted({ ...options, acceptor: { limits: { message: 3000, item: 100_000 } } });
      const [body, items] = [new TestStream("bytes", "sender"), new TestStream("items", "sender")];
      pair.a.call("m", [body, items]);
      pair.settle();
      body.send.write(new Uint8Array(50_000));
      items.send.write(utf8('"\\'.repeat(5000)));
      pair.settle();
      const [bytes, reader] = pair.b.seen.received as [ReceiveHalf, ReceiveHalf];
      expect([bytes.window.arrived, pair.b.core.stats().faults]).toEqual([50_000, 0]);
      expect(reader.error).toBe(undefined);
    });

    it("S13: what crosses an end or a reset, a stop or a grant, never counts against an honest peer", () => {
      for (const step of ["end", "reset"] as const)
        for (const other of ["read", "stop"] as const) {
          const { pair, up, upReader, call } = streams(options);
          call.succeed(null);
          up.write(new Uint8Array(200_000));
          pair.settle();
          while (upReader.read() !== undefined); // a grant is on its way
          if (other === "stop") upReader.stop(0, "");
          if (step === "end") up.end();
          else up.reset(1000, "");
          pair.settle();
          pair.settle();
          expect([pair.a.seen.faults, pair.b.seen.faults]).toEqual([[], []]);
        }
    });
  });
