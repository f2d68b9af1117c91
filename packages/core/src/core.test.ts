import { expect, it } from "vitest";
import { Pair, TestStream } from "./testing.ts";
import type { ReceiveHalf } from "@sluice/streams";

for (const unit of ["bytes", "messages"] as const)
  for (const encoding of ["frames", "json"] as const) {
    const encodings = [encoding];
    it(`calls and answers over ${unit} in ${encoding}`, () => {
      const pair = Pair.greeted({ unit, initiator: { encodings } });
      expect(pair.a.seen.peer[0]?.encodings).toEqual(encodings);
      pair.b.onCall = (call) => call.succeed({ echo: call.params });
      const call = pair.a.call("echo", { a: 1 });
      pair.settle();
      expect(call.outcomes).toEqual([{ result: { echo: { a: 1 } } }]);
      expect(pair.a.core.stats()).toEqual(pair.b.core.stats());
    });

    it(`carries a stream in params over ${unit} in ${encoding}`, () => {
      const pair = Pair.greeted({ unit, initiator: { encodings } });
      const body = new TestStream("bytes", "sender");
      const items = new TestStream("items", "sender");
      pair.a.call("put", { body, deep: [{ items }] });
      pair.settle();
      const call = pair.b.seen.calls[0]!;
      const { body: reader, deep } = call.params as { body: ReceiveHalf; deep: { items: ReceiveHalf }[] };
      const big = "é".repeat(200_000);
      body.send.write(new Uint8Array(300_000).fill(7));
      body.send.end();
      for (const item of [1, null, { x: "y" }, big])
        items.send.write(new TextEncoder().encode(JSON.stringify(item)));
      items.send.end();
      let bytes = 0;
      const got: unknown[] = [];
      for (let i = 0; i < 20; i++) {
        pair.settle();
        for (let chunk = reader.read(); chunk !== undefined; chunk = reader.read())
          bytes += (chunk as Uint8Array).length;
        for (let item = deep[0]!.items.read(); item !== undefined; item = deep[0]!.items.read())
          got.push(item);
      }
      expect(pair.a.seen.ended).toEqual([]);
      expect(bytes).toBe(300_000);
      expect(got).toEqual([1, null, { x: "y" }, big]);
      expect(reader.isOver).toBe(true);
      call.succeed(null);
      pair.settle();
      expect(pair.a.core.stats()).toEqual({
        ...pair.a.core.stats(),
        streams: 0,
        calls: 0,
        granted: 0,
        credit: 0,
      });
      expect(pair.b.core.stats()).toEqual({ ...pair.b.core.stats(), streams: 0, handlers: 0, unread: 0 });
    });
  }
