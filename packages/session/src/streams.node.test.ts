// Streams in params and in results, in every form the plain door takes, in both encodings.
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { collect, failure, Gate, pair, text, type Pair } from "./features.testing.ts";
import {
  assertNoLeaks,
  bytes,
  items,
  SessionReadable,
  SessionWritable,
  StreamError,
  type HandlerContext,
} from "./index.ts";

type Bytes = ReadableStream<Uint8Array<ArrayBuffer>>;

async function end({ a, b }: Pair): Promise<void> {
  await a.call("done");
  assertNoLeaks(a);
  assertNoLeaks(b);
  await Promise.all([a.close(), b.close()]);
}

const done = { done: (): null => null };
const chunks = (...parts: unknown[]): ReadableStream =>
  new ReadableStream({
    pull(controller) {
      if (parts.length === 0) controller.close();
      else controller.enqueue(parts.shift());
    },
  });
async function* generator<T>(...parts: T[]): AsyncGenerator<T> {
  yield* parts;
}

/** Each is "one", "two" as bytes to whoever reads it. */
const byteSources: Record<string, () => object> = {
  "a ReadableStream": () => chunks(text("one"), text("two")),
  "a Blob": () => new Blob(["one", "two"]),
  "a Response's body": () => new Response("onetwo").body!,
  "a stream of ArrayBuffers and views": () =>
    chunks(text("one").buffer, new DataView(text("xtwo").buffer, 1)),
  "bytes() of an async generator": () => bytes(generator(text("one"), text("two"))),
};

/** Each is 1, {two: 2}, null, "four". */
const values: unknown[] = [1, { two: 2 }, null, "four"];
const itemSources: Record<string, () => object> = {
  "an async generator": () => generator(...values),
  "an async iterable": () => ({ [Symbol.asyncIterator]: () => generator(...values) }),
  "items() of a ReadableStream": () => items(chunks(...values)),
};

describe.each(["frames", "json"] as const)("in %s", (encoding) => {
  it.each(Object.entries(byteSources))("%s goes as bytes, in params and in a result", async (_, source) => {
    const ends = await pair(
      {},
      {
        handlers: {
          ...done,
          read: async ({ body }: { body: Bytes }) => {
            expect(body).toBeInstanceOf(SessionReadable);
            return new Response(body).text();
          },
          give: () => [source()],
        },
      },
      { encoding },
    );
    expect(await ends.a.call("read", { body: source() })).toBe("onetwo");
    const [back] = await ends.a.call<[Bytes]>("give");
    expect((back as SessionReadable).of).toBe("bytes");
    expect(await new Response(back).text()).toBe("onetwo");
    await end(ends);
  });

  it.each(Object.entries(itemSources))("%s goes as items, in params and in a result", async (_, source) => {
    const ends = await pair(
      {},
      {
        handlers: {
          ...done,
          read: async ({ deep: [{ list }] }: { deep: [{ list: AsyncIterable<unknown> }] }) => collect(list),
          give: () => source(),
        },
      },
      { encoding },
    );
    expect(await ends.a.call("read", { deep: [{ list: source() }] })).toEqual(values);
    const back = await ends.a.call<SessionReadable<unknown>>("give");
    expect(back.of).toBe("items");
    expect(await collect(back)).toEqual(values);
    await end(ends);
  });

  it("a WritableStream arrives as a writable, and what is written to it comes back", async () => {
    const ends = await pair(
      {},
      {
        handlers: {
          ...done,
          write: async ({ out, log }: { out: WritableStream; log: WritableStream }) => {
            expect(out).toBeInstanceOf(SessionWritable);
            const [bytesOut, itemsOut] = [out.getWriter(), log.getWriter()];
            await bytesOut.write(text("written"));
            await itemsOut.write({ level: 1 });
            await Promise.all([bytesOut.close(), itemsOut.close()]);
          },
        },
      },
      { encoding },
    );
    const out = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>();
    const log = new TransformStream<unknown, unknown>();
    const call = ends.a.call("write", { out: out.writable, log: items(log.writable) });
    const [bytesBack, itemsBack] = await Promise.all([
      new Response(out.readable).text(),
      collect(log.readable),
    ]);
    expect([bytesBack, itemsBack]).toEqual(["written", [{ level: 1 }]]);
    await call;
    await end(ends);
  });

  it("a writable in a result is written by its caller", async () => {
    const got = new Gate<string>();
    const ends = await pair(
      {},
      {
        handlers: {
          ...done,
          sink: () => {
            const { readable, writable } = new TransformStream();
            void new Response(readable).text().then(got.open);
            return { writable };
          },
        },
      },
      { encoding },
    );
    const { writable } = await ends.a.call<{ writable: SessionWritable }>("sink");
    const writer = writable.getWriter();
    await writer.write(text("into "));
    await writer.write(text("the result"));
    await writer.close();
    expect(await got.opened).toBe("into the result");
    await end(ends);
  });

  it("20 MiB come through whole, both ways at once", { timeout: 120_000 }, async () => {
    const MiB = 1024 * 1024;
    const block = new Uint8Array(MiB).map((_, i) => (i * 31 + (i >> 8)) & 0xff);
    const source = (): ReadableStream<Uint8Array> => {
      let n = 0;
      return new ReadableStream({
        pull(controller) {
          // Sizes that fit nothing.
          const part = block.slice(0, n % 2 === 0 ? MiB : 12_345);
          part[0] = n++;
          if (n > 40) controller.close();
          else controller.enqueue(part);
        },
      });
    };
    const hash = async (stream: AsyncIterable<Uint8Array>): Promise<string> => {
      const sum = createHash("sha256");
      for await (const chunk of stream) sum.update(chunk);
      return sum.digest("hex");
    };
    const there = async ({ body }: { body: AsyncIterable<Uint8Array> }): Promise<object> => ({
      body: source(),
      sum: await hash(body),
    });
    const ends = await pair({ handlers: { there } }, { handlers: { ...done, there } }, { encoding });
    const expected = await hash(source());
    const both = [ends.a, ends.b].map(async (session) => {
      const { body, sum } = await session.call<{ body: SessionReadable; sum: string }>("there", {
        body: source(),
      });
      expect([sum, await hash(body)]).toEqual([expected, expected]);
    });
    await Promise.all(both);
    await end(ends);
  });

  it("an item of several MiB, and one larger than the window, come through", async () => {
    const long = "ü€🌍".repeat(300_000);
    const ends = await pair(
      {},
      {
        limits: { window: 4096 },
        handlers: { ...done, read: ({ list }: { list: AsyncIterable<string> }) => collect(list) },
      },
      { encoding },
    );
    const got = await ends.a.call<string[]>("read", { list: generator("a", long, "b") });
    expect(got.map((item) => item.length)).toEqual([1, long.length, 1]);
    expect(got[1] === long).toBe(true);
    await end(ends);
  });
});

describe("what cannot be sent as a stream", () => {
  it.each<[string, () => unknown, string]>([
    [
      "a stream that is locked",
      () => {
        const s = new ReadableStream();
        s.getReader();
        return s;
      },
      "S2",
    ],
    [
      "one stream twice",
      () => {
        const s = new ReadableStream();
        return [s, s];
      },
      "S2",
    ],
    ["bytes() of no stream", () => bytes({}), "S1"],
  ])("%s is refused before anything is sent", async (_, make, rule) => {
    const ends = await pair({}, { handlers: { ...done } });
    const error = await failure(ends.a.call("none", { s: make() }));
    expect(error).toMatchObject({ _tag: "RefusedError", rule, mayHaveRun: false });
    await end(ends);
  });

  it("a stream in a notification is refused (S3)", async () => {
    const ends = await pair({}, { handlers: { ...done } });
    await expect(ends.a.notify("none", { s: new ReadableStream() })).rejects.toMatchObject({
      _tag: "RefusedError",
    });
    await end(ends);
  });
});

describe("a stream that is left early", () => {
  it("tells its producer at once: break, cancel() and await using", async () => {
    const stopped: string[] = [];
    const endless = (name: string): ReadableStream =>
      new ReadableStream({
        pull: (controller) => controller.enqueue(new Uint8Array(1000)),
        cancel: () => void stopped.push(name),
      });
    const ends = await pair({}, { handlers: { ...done, get: ([name]: [string]) => endless(name) } });
    for await (const _ of await ends.a.call<SessionReadable>("get", ["break"])) break;
    await (await ends.a.call<SessionReadable>("get", ["cancel"])).cancel();
    {
      await using stream = await ends.a.call<SessionReadable>("get", ["using"]);
      expect(stream.locked).toBe(false);
    }
    await ends.a.call("done");
    expect(stopped).toEqual(["break", "cancel", "using"]);
    await end(ends);
  });

  it("carries an application's code and words to the other end", async () => {
    const ends = await pair(
      {},
      {
        handlers: {
          ...done,
          get: () => chunks(text("one"), new Promise(() => {})),
          read: ({ body }: { body: Bytes }) =>
            failure(collect(body)).then(({ code, message }) => ({ code, message })),
        },
      },
    );
    const body = new ReadableStream({ pull: (c) => c.error(new StreamError(1007, "us", "no more money")) });
    expect(await ends.a.call("read", { body })).toEqual({ code: 1007, message: "no more money" });
    await end(ends);
  });
});

it("a stream whose reader waits for more is cancelled without an error, and the writer is told", async () => {
  const stopped = Promise.withResolvers<unknown>();
  const quiet = (): ReadableStream =>
    new ReadableStream({ start: (c) => c.enqueue(text("a")), cancel: stopped.resolve });
  const both = await pair({}, { handlers: { ...done, quiet } });
  const reader = (await both.a.call<Bytes>("quiet")).getReader();
  await reader.read();
  const waiting = reader.read();
  await reader.cancel();
  expect((await waiting).done).toBe(true);
  await stopped.promise;
  await end(both);
});

it("an answer before every notification of a flood: what waits in line stays within its bound", async () => {
  const FLOOD = 5000;
  const run = { seen: 0, most: 0 };
  const note = (_params: unknown, { session }: HandlerContext): void => {
    run.seen++;
    run.most = Math.max(run.most, session.stats().waiting);
  };
  // Each call is answered right before a notification, and each answer makes what follows wait for a turn.
  const flood = async (_params: unknown, { session }: HandlerContext): Promise<null> => {
    for (let i = 0; i < FLOOD; i++) await session.notify("note", { i });
    return null;
  };
  const both = await pair({ notifications: { note } }, { handlers: { ...done, flood } });
  const flooding = both.a.call("flood");
  while (run.seen < FLOOD) await both.a.call("done");
  await flooding;
  expect([run.seen, run.most < 2048]).toEqual([FLOOD, true]);
  await end(both);
});
