// Streams in params and in results, in every form the plain door takes, in both encodings.
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { collect, failure, Gate, pair, text, type Pair } from "./features.testing.ts";
import { assertNoLeaks, bytes, items, SessionReadable, SessionWritable, StreamError } from "./index.ts";

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

describe("a chunk of the wrong kind", () => {
  it.each<[string, ["bytes" | "items", unknown], RegExp]>([
    [
      "text on a byte stream",
      ["bytes", "text"],
      /carries Uint8Arrays, not string: send text through a TextEncoderStream/,
    ],
    ["an object on a byte stream", ["bytes", {}], /not object: .* JSON values as items\(stream\)/],
    [
      "bytes on an object stream",
      ["items", text("x")],
      /an item is a JSON value, not bytes: use bytes\(stream\)/,
    ],
    ["a function on an object stream", ["items", () => 1], /an item is a JSON value, not function/],
    ["a BigInt on an object stream", ["items", 1n], /an item JSON cannot write/],
  ])("%s fails its reader, and says to its source what to write", async (_, source, message) => {
    const ends = await pair(
      {},
      {
        handlers: {
          ...done,
          read: ({ body }: { body: Bytes }) => failure(collect(body)).then(({ code, by }) => ({ code, by })),
        },
      },
    );
    const cancelled = new Gate<unknown>();
    const body = new ReadableStream({
      pull: (controller) => controller.enqueue(source[1]),
      cancel: (reason) => cancelled.open(reason),
    });
    expect(await ends.a.call("read", { body: source[0] === "bytes" ? body : items(body) })).toEqual({
      code: 4,
      by: "peer",
    });
    expect(String(await cancelled.opened)).toMatch(message);
    await end(ends);
  });

  it("is told by the promise of the write", async () => {
    const wrote = new Gate<unknown>();
    const ends = await pair(
      {},
      {
        handlers: {
          ...done,
          write: async ({ out }: { out: WritableStream }) => {
            wrote.open(await failure(out.getWriter().write("text")));
          },
        },
      },
    );
    const { readable, writable } = new TransformStream();
    const read = failure(collect(readable));
    await ends.a.call("write", { out: writable });
    expect(String(await wrote.opened)).toMatch(/carries Uint8Arrays, not string/);
    expect(await read).toMatchObject({ _tag: "StreamError", by: "peer" });
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
      await using _stream = await ends.a.call<SessionReadable>("get", ["using"]);
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

describe("bytes that are transferred away", () => {
  const transferred = (bytes: Uint8Array): Uint8Array => {
    structuredClone(bytes.buffer, { transfer: [bytes.buffer as ArrayBuffer] });
    return bytes;
  };

  it("before they are written fail their stream, and say so", async () => {
    const cancelled = new Gate<unknown>();
    const ends = await pair(
      {},
      {
        handlers: {
          ...done,
          read: ({ body }: { body: Bytes }) => failure(collect(body)).then(({ code }) => code as number),
        },
      },
    );
    const body = new ReadableStream({
      pull: (controller) => controller.enqueue(transferred(text("gone"))),
      cancel: (reason) => cancelled.open(reason),
    });
    expect(await ends.a.call("read", { body })).toBe(4);
    expect(String(await cancelled.opened)).toContain("transferred");
    await end(ends);
  });

  it("before they are sent fail their stream, and no other, nor the session", async () => {
    const ends = await pair(
      {},
      {
        handlers: {
          ...done,
          read: async ({ body }: { body: SessionReadable }) => {
            const outcome = failure(collect(body));
            return outcome.then(({ code }) => code as number);
          },
        },
      },
    );
    // More than the window, so that some of it waits here.
    const parts = Array.from({ length: 20 }, () => new Uint8Array(64 * 1024));
    let n = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (n === parts.length) return controller.close();
        controller.enqueue(parts[n]!);
        if (n > 0) transferred(parts[n - 1]!);
        n++;
      },
    });
    expect([undefined, 4]).toContain(await ends.a.call("read", { body }));
    expect([ends.a.error, ends.b.error]).toEqual([undefined, undefined]);
    await end(ends);
  });
});
