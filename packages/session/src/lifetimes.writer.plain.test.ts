// ARCHITECTURE §4: writer gives up (the half is gone here, the peer sees one reset); writer ends and reader drains
// (gone on both ends, the peer sees an end). From the plain door.
import { describe, expect, it } from "vitest";
import { Drain, expectEmptyAndClose, open, until } from "./lifetimes.testing.ts";
import { StreamError, type SessionReadable, type SessionWritable } from "./index.ts";

type Out = SessionWritable;
type GiveUp = (out: Out) => void | Promise<void>;

const WAYS: Record<string, GiveUp> = {
  "abort of the stream": (out) => void out.abort(),
  "abort of a writer": (out) => void out.getWriter().abort(),
  "disposing of it unclosed": (out) => void out[Symbol.asyncDispose](),
  "await using, unclosed": async (out) => {
    await using held = out;
    void held;
  },
  "a chunk it cannot carry": async (out) => {
    const writer = out.getWriter();
    await writer.write("text" as never).catch(() => {});
  },
  "a source that fails while it is piped": async (out) => {
    const source = new ReadableStream({
      pull: () => {
        throw new Error("broken");
      },
    });
    await source.pipeTo(out).catch(() => {});
  },
};

describe.each(Object.entries(WAYS))("a writer that gives up by %s", (_, giveUp) => {
  it("has nothing here at once, and the peer hears one reset", async () => {
    const drain = new Drain();
    const ends = await open({}, { handlers: { upload: () => ({ into: drain.stream }) } });
    const { a, b, heard, wire } = ends;
    const { into } = await a.call<{ into: Out }>("upload");
    const writer = into.getWriter();
    await writer.write(new Uint8Array(10));
    writer.releaseLock();
    await until(() => drain.chunks.length > 0);

    wire.b.pause();
    const given = giveUp(into);
    if (given === undefined)
      expect(a.stats()).toMatchObject({ streams: 0, stopping: 0, queued: 0, credit: 0 });
    await given;
    expect(a.stats()).toMatchObject({ streams: 0, stopping: 0, queued: 0, credit: 0 });
    expect(b.stats()).toMatchObject({ streams: 1 });

    wire.b.resume();
    await until(() => drain.aborted.length > 0);
    expect(drain.aborted).toMatchObject([{ _tag: "StreamError", by: "peer" }]);
    expect([heard.b.of("reset"), heard.b.of("end"), drain.closed]).toEqual([1, 0, 0]);
    expect(a.stats().faults + b.stats().faults).toBe(0);
    await expectEmptyAndClose(ends);
  });
});

async function readAll(stream: SessionReadable): Promise<number> {
  let length = 0;
  for await (const chunk of stream) length += chunk.length;
  return length;
}

describe("a source that fails", () => {
  const sources: Record<string, () => object> = {
    "a generator": async function* () {
      yield 1;
      throw new StreamError(2000, "us", "no more");
    },
    "a web stream": () => {
      let n = 0;
      return new ReadableStream(
        {
          pull: (controller) => {
            if (n++ === 0) controller.enqueue(new Uint8Array(1));
            else controller.error(new StreamError(2000, "us", "no more"));
          },
        },
        { highWaterMark: 0 },
      );
    },
  };
  for (const [name, make] of Object.entries(sources))
    it(`resets the stream, what came before is read first: ${name}`, async () => {
      const ends = await open({}, { handlers: { give: () => ({ out: make() }) } });
      const { out } = await ends.a.call<{ out: AsyncIterable<unknown> }>("give");
      const got: unknown[] = [];
      const loop = async (): Promise<void> => {
        for await (const item of out) got.push(item);
      };
      await expect(loop()).rejects.toMatchObject({ code: 2000, message: "no more", by: "peer" });
      expect(got.length).toBe(1);
      expect(ends.heard.a.of("reset")).toBe(1);
      await expectEmptyAndClose(ends);
    });

  it("keeps an error's own text here, where it was not made for the peer", async () => {
    const ends = await open(
      {},
      {
        handlers: {
          give: async function () {
            return {
              // oxlint-disable-next-line require-yield -- it fails before
              out: (async function* () {
                throw new Error("the password is 1234");
              })(),
            };
          },
        },
      },
    );
    const { out } = await ends.a.call<{ out: AsyncIterable<unknown> }>("give");
    await expect(out[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 4, message: "failed" });
    await expectEmptyAndClose(ends);
  });
});

describe("a stream that ends", () => {
  it("is gone at the writer once its end is sent, at the reader once it has read everything", async () => {
    const ends = await open({}, { handlers: { give: () => ({ out: new Blob(["x".repeat(500)]) }) } });
    const { a, b, heard } = ends;
    const { out } = await a.call<{ out: SessionReadable }>("give");
    await until(() => b.stats().streams === 0);
    expect(a.stats()).toMatchObject({ streams: 1, stopping: 0, unread: 500 });
    expect(await readAll(out)).toBe(500);
    expect(a.stats()).toMatchObject({ streams: 0, stopping: 0, unread: 0 });
    expect([heard.a.of("reset"), heard.b.of("stop")]).toEqual([0, 0]);
    await expectEmptyAndClose(ends);
  });

  it("reaches a writable the same way", async () => {
    const drain = new Drain();
    const ends = await open({}, { handlers: { upload: () => ({ into: drain.stream }) } });
    const { a, heard } = ends;
    const { into } = await a.call<{ into: Out }>("upload");
    const writer = into.getWriter();
    for (let n = 0; n < 20; n++) await writer.write(new Uint8Array(1000));
    await writer.close();
    expect(a.stats()).toMatchObject({ streams: 0, queued: 0, credit: 0 });
    await until(() => drain.closed === 1);
    expect(drain.chunks.length).toBeGreaterThan(0);
    expect([heard.b.of("reset"), heard.b.of("stop"), drain.aborted.length]).toEqual([0, 0, 0]);
    await expectEmptyAndClose(ends);
  });

  it("is over for a writer that is disposed of after its close", async () => {
    const drain = new Drain();
    const ends = await open({}, { handlers: { upload: () => ({ into: drain.stream }) } });
    const { into } = await ends.a.call<{ into: Out }>("upload");
    const closed = into.close();
    await into[Symbol.asyncDispose]();
    await closed;
    await until(() => drain.closed === 1);
    expect(ends.heard.b.of("reset")).toBe(0);
    await expectEmptyAndClose(ends);
  });

  it("tells a writer whose reader left: its writes fail with the reader's reason", async () => {
    const ends = await open(
      {},
      {
        handlers: {
          upload: () => ({
            into: new WritableStream({
              write: () => {
                throw new StreamError(3000, "us", "disk full");
              },
            }),
          }),
        },
      },
    );
    const { into } = await ends.a.call<{ into: Out }>("upload");
    const writer = into.getWriter();
    const closed = writer.closed.catch((error: unknown) => error);
    const flood = async (): Promise<void> => {
      for (;;) await writer.write(new Uint8Array(1000));
    };
    await expect(flood()).rejects.toMatchObject({ code: 3000 });
    expect(await closed).toMatchObject({ code: 3000, message: "disk full", by: "peer" });
    expect(ends.heard.a.of("stop")).toBe(1);
    await expectEmptyAndClose(ends);
  });
});
