// Readers that do not read, writers that wait, sources that fail (reliability.md 2.3).
import { StreamError } from "@sluice/session";
import { expect } from "vitest";
import { perform } from "./row.ts";
import { both, breach, hold, KiB, mention, SINK } from "./stream-rows.ts";

perform([
  ...both({
    row: 70,
    what: "a reader that never reads holds its own window and nothing else",
    says: async (stage) => {
      const [, other] = await hold(stage, mention(1), mention(3));
      for (let i = 0; i < 8; i++) stage.peer.data(1, new Uint8Array(32 * KiB));
      stage.peer.data(3, "through", true);
      expect(await new Response(other).text()).toBe("through");
      await stage.probe();
      expect(stage.session.stats()).toMatchObject({ unread: 256 * KiB, granted: 0 });
      expect(stage.peer.heard.some((said) => said["type"] === "grant")).toBe(false);
    },
  }),
  ...both({
    row: 71,
    what: "with both directions full of data control still passes",
    says: async (stage) => {
      const [stream, sink] = await hold(stage, mention(1), mention(3, "receiver"));
      for (let i = 0; i < 8; i++) stage.peer.data(1, new Uint8Array(32 * KiB));
      const writer = (sink as WritableStream<Uint8Array>).getWriter();
      const written = writer.write(new Uint8Array(1024 * KiB));
      stage.peer.frame({ type: "ping", token: "00112233aabbccdd" });
      await stage.peer.until((said) => JSON.stringify(said).includes("00112233aabbccdd"));
      expect(stage.session.stats().credit).toBe(0);
      stage.peer.frame({ type: "grant", id: 3, offset: 2 ** 40 });
      await written;
      await writer.close();
      await (stream as ReadableStream).cancel();
    },
  }),
  ...both({
    row: 72,
    what: "a call passes a stream that never ends",
    says: async (stage) => {
      const [sink] = await hold(stage, SINK);
      stage.peer.frame({ type: "grant", id: 1, offset: 2 ** 40 });
      const writer = (sink as WritableStream<Uint8Array>).getWriter();
      const enough = new AbortController();
      const busy = (async () => {
        while (!enough.signal.aborted) await writer.write(new Uint8Array(64 * KiB));
        await writer.close();
      })();
      await stage.probe();
      enough.abort();
      await busy;
    },
  }),
  ...both({
    row: 73,
    what: "a writer that waits for credit is freed by a stop, and told why",
    says: async (stage) => {
      const [sink] = await hold(stage, SINK);
      const writer = (sink as WritableStream<Uint8Array>).getWriter();
      const failed = writer.write(new Uint8Array(1024 * KiB)).then(
        () => writer.closed.catch((reason: unknown) => reason),
        (reason: unknown) => reason,
      );
      writer.closed.catch(() => {});
      stage.peer.frame({ type: "stop", id: 1, code: 1007, message: "enough" });
      expect(await failed).toMatchObject({ _tag: "StreamError", code: 1007, by: "peer" });
      const reset = await stage.peer.until((said) => JSON.stringify(said).includes("reset"));
      expect(reset["params"] ?? reset).toMatchObject({ id: 1, code: 1007 });
      expect(stage.session.stats()).toMatchObject({ streams: 0, queued: 0 });
    },
  }),
  ...both({
    row: 74,
    what: "a peer that ends in order hears the answers of what ran, and then the session ends (L2)",
    says: async (stage) => {
      const id = stage.peer.call("hold");
      await stage.untilHeld(1);
      stage.peer.wire.end();
      await expect(stage.pending).rejects.toMatchObject({ _tag: "SessionError" });
      stage.release("late but there");
      expect((await stage.peer.answer(id))["result"]).toBe("late but there");
    },
    closes: { code: "closed", by: "peer" },
  }),
  ...(["a-_=", "YQ", "Y===", "€", 1] as const).flatMap((bytes) =>
    breach(
      76,
      `base64 of ${JSON.stringify(bytes)}`,
      "F1",
      [mention(1)],
      ({ peer }) => peer.message({ method: "$/stream/data", params: { id: 1, bytes } }),
      "json",
    ),
  ),
  ...breach(
    76,
    "base64 of more than 64 KiB",
    "F2",
    [mention(1)],
    ({ peer }) => peer.message({ method: "$/stream/data", params: { id: 1, bytes: "A".repeat(1024 * KiB) } }),
    "json",
  ),
  ...both({
    row: 77,
    what: "an end that comes with data is read after it",
    says: async (stage) => {
      const [stream] = await hold(stage, mention(1));
      stage.peer.data(1, "last words", true);
      expect(await new Response(stream).text()).toBe("last words");
    },
  }),
  ...both({
    row: 78,
    what: "a source of ours that fails, gives no bytes, or gives bytes it no longer has, resets its stream alone",
    says: async ({ session, peer }) => {
      const detached = new Uint8Array(8);
      const sources: [unknown, number][] = [
        [new ReadableStream({ pull: (c) => c.error(new Error("/home/secret")) }), 4],
        [new ReadableStream({ pull: (c) => c.error(new StreamError(1234, "us", "mine")) }), 1234],
        [new ReadableStream({ pull: (c) => c.enqueue("text") }), 4],
        [
          new ReadableStream({
            pull: (c) => (structuredClone(detached, { transfer: [detached.buffer] }), c.enqueue(detached)),
          }),
          4,
        ],
      ];
      for (const [source, code] of sources) {
        peer.heard.length = 0;
        const call = session.call("take", [source]);
        const { id } = await peer.until((said) => said["method"] === "take");
        const reset = await peer.until((said) => JSON.stringify(said).includes("reset"));
        expect(reset["params"] ?? reset).toMatchObject({ code });
        expect(JSON.stringify(reset)).not.toContain("secret");
        peer.message({ id, result: null });
        await call;
      }
    },
  }),
]);
