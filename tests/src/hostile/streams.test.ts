// Frames that break the rules of streams (reliability.md 2.3). What the catalogue says of sequence numbers holds here for
// offsets: our wire has no others.
import { expect } from "vitest";
import { error, perform } from "./row.ts";
import type { Stage } from "./stage.ts";
import { both, breach, failure, hold, ITEMS, KiB, mention, SINK } from "./stream-rows.ts";

const mentioning =
  (id: number): ((stage: Stage) => void) =>
  ({ peer }) =>
    void peer.call("echo", [mention(id)]);

perform([
  ...both({
    row: 56,
    what: "an end past what arrived is that stream's error, and the session goes on (S7)",
    says: async (stage) => {
      const [stream] = await hold(stage, mention(1));
      stage.peer.data(1, "abc");
      stage.peer.frame({ type: "end", id: 1, offset: 4 });
      expect(await failure(stream)).toMatchObject({ _tag: "StreamError", code: 3, by: "peer" });
    },
  }),
  ...both({
    row: 57,
    what: "an end before what arrived is that stream's error (S7)",
    says: async (stage) => {
      const [stream] = await hold(stage, mention(1));
      stage.peer.data(1, "abc");
      stage.peer.frame({ type: "end", id: 1, offset: 2 });
      expect(await failure(stream)).toMatchObject({ code: 3 });
    },
  }),
  ...[-1, 1.5, 2 ** 53, "1"].flatMap((offset) =>
    breach(
      58,
      `an offset of ${JSON.stringify(offset)}`,
      "S5",
      [mention(1)],
      ({ peer }) => peer.message({ method: "$/stream/end", params: { id: 1, offset } }),
      "json",
    ),
  ),
  ...breach(59, "a byte past the credit", "S4", [mention(1)], ({ peer }) => {
    for (let i = 0; i < 8; i++) peer.data(1, new Uint8Array(32 * KiB));
    peer.data(1, "x");
  }),
  ...both({
    row: 60,
    what: "grants that do not grow are ignored, and a flood of them costs nothing",
    says: async (stage) => {
      const [sink] = await hold(stage, SINK);
      for (let i = 0; i < 2000; i++) stage.peer.frame({ type: "grant", id: 1, offset: i % 3 });
      await stage.probe();
      expect(stage.session.stats()).toMatchObject({ credit: 64 * KiB, streams: 1, outbox: 0 });
      await sink.close();
    },
  }),
  ...breach(
    60,
    "a negative grant",
    "S5",
    [SINK],
    ({ peer }) => peer.message({ method: "$/stream/grant", params: { id: 1, offset: -1 } }),
    "json",
  ),
  ...breach(
    60,
    "a grant past 2^53-1",
    "S5",
    [SINK],
    ({ peer }) => peer.raw(Uint8Array.of(0, 0, 0, 8, 5, 0, 0, 0, 0, 0, 0, 1, 0, 32, 0, 0, 0, 0, 0, 0)),
    "frames",
  ),
  ...breach(60, "a grant for a stream that never was", "S13", [], ({ peer }) =>
    peer.frame({ type: "grant", id: 8, offset: 1 }),
  ),
  ...breach(61, "data with nothing in it", "F2a", [mention(1)], ({ peer }) => {
    for (let i = 0; i < 100; i++) peer.data(1, "");
  }),
  ...both({
    row: 62,
    what: "bytes that come one by one cost what they weigh",
    says: async (stage) => {
      const [stream] = await hold(stage, mention(1));
      for (let i = 0; i < 20_000; i++) stage.peer.data(1, "x");
      await stage.probe();
      expect(stage.session.stats()).toMatchObject({ unread: 20_000, streams: 1 });
      let chunks = 0;
      const reader = (stream as ReadableStream<Uint8Array>).getReader();
      for (let got = 0; got < 20_000; chunks++) got += (await reader.read()).value!.length;
      expect(chunks).toBeLessThan(100);
      await reader.cancel();
    },
  }),
  ...both({
    row: 63,
    what: "what follows an end, a reset or our own stop is dropped; after the first two it is counted (S13, S9)",
    says: async (stage) => {
      const [one, two, three] = await hold(stage, mention(1), mention(3), mention(5));
      const { peer } = stage;
      peer.data(1, "a", true);
      peer.data(1, "late");
      peer.frame({ type: "reset", id: 3, code: 1000, message: "mine" });
      peer.data(3, "late");
      expect(await new Response(one).text()).toBe("a");
      expect(await failure(two)).toMatchObject({ code: 1000, message: "mine", by: "peer" });
      await three.cancel();
      await peer.until((said) => JSON.stringify(said).includes("stop"));
      peer.data(5, "late");
      await stage.probe();
      expect(stage.session.stats()).toMatchObject({ streams: 0, stopping: 1 });
      peer.frame({ type: "reset", id: 5, code: 1, message: "" });
      await stage.probe();
      expect(stage.session.stats().stopping).toBe(0);
    },
    faults: ["S13", "S13"],
  }),
  ...both({
    row: 64,
    what: "a flood of opened and reset streams closes the session (C7)",
    options: { limits: { resets: 50 } },
    says: ({ peer }) => {
      for (let id = 1; id < 1000; id += 2) {
        peer.call("echo", [mention(id)]);
        peer.frame({ type: "reset", id, code: 1, message: "" });
      }
    },
    closes: { code: "limit", by: "peer", rule: "C7" },
  }),
  ...both({
    row: 65,
    what: "a flood of streams that we are made to reset closes the session (C7)",
    options: { limits: { resets: 50 } },
    says: ({ peer }) => {
      for (let id = 1; id < 1000; id += 2) peer.call("echo", [mention(id, "sender", "video")]);
    },
    closes: { code: "limit", by: "peer", rule: "C7" },
  }),
  ...breach(66, "a stream id of our parity", "S2", [], mentioning(2)),
  ...breach(66, "stream id 0", "S2", [], mentioning(0)),
  ...breach(66, "a stream id above 2^31-1", "S2", [], mentioning(2 ** 31 + 1)),
  ...breach(66, "a stream id that is open", "S2", [mention(1)], mentioning(1)),
  ...breach(66, "a stream id below the last", "S2", [mention(5)], mentioning(3)),
  ...breach(66, "a mention of no shape", "S1", [], ({ peer }) => void peer.call("echo", [{ $stream: 1 }])),
  ...both({
    row: 67,
    what: "a call that mentions streams beyond the limit is answered -32013, and they are dropped",
    options: { limits: { streams: 2 } },
    says: async (stage) => {
      await hold(stage, mention(1), mention(3));
      const id = stage.peer.call("hold", { s: [mention(5)] });
      expect(await stage.peer.answer(id)).toMatchObject(error(id, -32013));
      expect(stage.held.length).toBe(1);
      stage.peer.data(5, "crossed our stop");
      stage.peer.frame({ type: "reset", id: 5, code: 5, message: "" });
      await stage.probe();
      expect(stage.session.stats()).toMatchObject({ streams: 2, stopping: 0 });
    },
  }),
  ...both({
    row: 68,
    what: "a stream of a kind nobody knows is stopped with code 5 and stands as null (S1)",
    says: async (stage) => {
      expect(await hold(stage, mention(1, "sender", "video"))).toEqual([null]);
      const stop = await stage.peer.until(
        (said) => said["type"] === "stop" || said["method"] === "$/stream/stop",
      );
      expect(stop["params"] ?? stop).toMatchObject({ id: 1, code: 5 });
    },
  }),
  ...breach(69, "data for a stream that never was", "S13", [], ({ peer }) => peer.data(7, "x")),
  ...breach(69, "a reset from the reader", "L3", [SINK], ({ peer }) =>
    peer.frame({ type: "reset", id: 1, code: 0, message: "" }),
  ),
  ...breach(61, "bytes on a stream of items", "F2a", [ITEMS], ({ peer }) => peer.data(1, "1")),
]);
