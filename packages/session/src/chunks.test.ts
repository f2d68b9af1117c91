// Chunks that are not what their stream carries.
import { describe, expect, it } from "vitest";
import { collect, failure, Gate, pair, text, type Pair } from "./features.testing.ts";
import { assertNoLeaks, items, type SessionReadable } from "./index.ts";

type Bytes = ReadableStream<Uint8Array<ArrayBuffer>>;

async function end({ a, b }: Pair): Promise<void> {
  await a.call("done");
  assertNoLeaks(a);
  assertNoLeaks(b);
  await Promise.all([a.close(), b.close()]);
}

const done = { done: (): null => null };
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
