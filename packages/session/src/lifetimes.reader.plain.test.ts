// ARCHITECTURE §4: reader leaves early. Here handle and queue are gone at once and the record is "stopping"; the peer
// sees one stop. Every way out of a readable, from the plain door.
import { describe, expect, it } from "vitest";
import {
  Endless,
  endlessBytes,
  expectEmptyAndClose,
  open,
  turn,
  until,
  type Ends,
} from "./lifetimes.testing.ts";
import type { SessionReadable } from "./index.ts";

type Numbers = SessionReadable<number>;

/** Leaves a stream of which one item has been read. `abort` is the call's own signal. */
type Leave = (numbers: Numbers, abort: AbortController) => void | Promise<void>;

const WAYS: Record<string, Leave> = {
  break: async (numbers) => {
    for await (const _ of numbers) break;
  },
  "a throw in the loop": async (numbers) => {
    const loop = async (): Promise<void> => {
      for await (const _ of numbers) throw new Error("enough");
    };
    await expect(loop()).rejects.toThrow("enough");
  },
  "the iterator's return": async (numbers) => {
    const iterator = numbers[Symbol.asyncIterator]();
    await iterator.next();
    void iterator.return?.();
  },
  "cancel of the stream": (numbers) => void numbers.cancel(),
  "cancel of a reader": (numbers) => void numbers.getReader().cancel(),
  asyncDispose: (numbers) => void numbers[Symbol.asyncDispose](),
  "await using": async (numbers) => {
    await using held = numbers;
    void held;
  },
  "the call's signal": (_, abort) => abort.abort(),
  "the signal of a pipe": async (numbers) => {
    const pipe = new AbortController();
    const piped = numbers.pipeTo(new WritableStream({ write: turn }), {
      signal: pipe.signal,
    });
    pipe.abort();
    await piped.catch(() => {});
  },
  "a sink that fails": async (numbers) => {
    const fail = (): never => {
      throw new Error("full");
    };
    await numbers.pipeTo(new WritableStream({ write: fail })).catch(() => {});
  },
  "both branches of a tee": async (numbers) => {
    const [one, other] = numbers.tee();
    await Promise.all([one.cancel(), other.cancel()]);
  },
};

describe.each(Object.entries(WAYS))("a reader that leaves by %s", (_, leave) => {
  it("has nothing here at once, and the peer hears one stop", async () => {
    const source = new Endless();
    const ends = await open({}, { handlers: { count: () => ({ numbers: source }) } });
    const { a, b, heard, wire } = ends;
    const abort = new AbortController();
    const { numbers } = await a.call<{ numbers: Numbers }>("count", {}, { signal: abort.signal });
    await until(() => a.stats().unread > 0);
    expect(a.stats()).toMatchObject({ streams: 1, stopping: 0 });

    wire.b.pause();
    const left = leave(numbers, abort);
    if (left === undefined)
      expect(a.stats()).toMatchObject({ streams: 0, stopping: 1, unread: 0, granted: 0 });
    await left;
    expect(a.stats()).toMatchObject({ streams: 0, stopping: 1, unread: 0, granted: 0 });
    expect(b.stats()).toMatchObject({ streams: 1 });

    wire.b.resume();
    await until(() => heard.b.of("stop") > 0);
    expect(b.stats()).toMatchObject({ streams: 0, queued: 0, credit: 0 });
    await until(() => source.left > 0);
    expect(a.stats().stopping).toBe(0);
    expect(source.left).toBe(1);
    expect([heard.b.of("stop"), heard.a.of("reset"), heard.a.of("end")]).toEqual([1, 1, 0]);
    expect(a.stats().faults + b.stats().faults).toBe(0);
    await expectEmptyAndClose(ends);
  });
});

describe("a reader that leaves", () => {
  const opened = async (): Promise<Ends & { numbers: Numbers; source: Endless }> => {
    const source = new Endless();
    const ends = await open({}, { handlers: { count: () => ({ numbers: source }) } });
    const { numbers } = await ends.a.call<{ numbers: Numbers }>("count");
    return { ...ends, numbers, source };
  };

  it("twice tells the peer once", async () => {
    const { numbers, ...ends } = await opened();
    await numbers.cancel();
    await numbers.cancel();
    await numbers[Symbol.asyncDispose]();
    await until(() => ends.source.left > 0);
    expect(ends.heard.b.of("stop")).toBe(1);
    await expectEmptyAndClose(ends);
  });

  it("while it waits for an item is let go of", async () => {
    const ends = await open({}, { handlers: { wait: () => ({ numbers: new ReadableStream() }) } });
    const { numbers } = await ends.a.call<{ numbers: SessionReadable }>("wait");
    const iterator = numbers[Symbol.asyncIterator]();
    const parked = [iterator.next(), iterator.next(), iterator.next()];
    await iterator.return?.();
    for (const next of parked) expect(await next).toEqual({ done: true, value: undefined });
    await until(() => ends.heard.b.of("stop") === 1);
    await expectEmptyAndClose(ends);
  });

  it("after the peer's end stops nothing: what is unread goes at once", async () => {
    const ends = await open({}, { handlers: { some: () => ({ numbers: new Blob(["some"]) }) } });
    const { a, heard } = ends;
    const { numbers } = await a.call<{ numbers: SessionReadable }>("some");
    await until(() => a.stats().unread > 0 && ends.b.stats().streams === 0);
    void numbers.cancel();
    expect(a.stats()).toMatchObject({ streams: 0, stopping: 0, unread: 0 });
    await expectEmptyAndClose(ends);
    expect(heard.b.of("stop")).toBe(0);
  });

  it("in a handler does the same to what the caller sends", async () => {
    const { stream, reasons } = endlessBytes();
    const ends = await open(
      {},
      {
        handlers: {
          peek: async ({ body }: { body: SessionReadable }) => {
            for await (const chunk of body) return chunk.length > 0;
            return false;
          },
        },
      },
    );
    expect(await ends.a.call("peek", { body: stream })).toBe(true);
    await until(() => reasons.length > 0);
    expect(reasons).toMatchObject([{ _tag: "StreamError", by: "peer", code: 1 }]);
    expect(ends.heard.a.of("stop")).toBe(1);
    await expectEmptyAndClose(ends);
  });

  it("keeps the application's code and text for the writer, and no other text", async () => {
    const { StreamError } = await import("./index.ts");
    const { stream, reasons } = endlessBytes();
    const ends = await open({}, { handlers: { bytes: () => ({ one: stream, two: endlessBytes().stream }) } });
    const { one, two } = await ends.a.call<Record<"one" | "two", SessionReadable>>("bytes");
    await one.cancel(new StreamError(4711, "us", "seen it"));
    await two.cancel(new Error("secret"));
    await until(() => reasons.length > 0 && ends.heard.b.of("stop") === 2);
    expect(reasons).toMatchObject([{ code: 4711, message: "seen it", by: "peer" }]);
    expect(JSON.stringify(ends.heard.b.frames)).not.toContain("secret");
    await expectEmptyAndClose(ends);
  });
});
