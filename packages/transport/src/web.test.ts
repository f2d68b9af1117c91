import { expect, it } from "vitest";
import type { TransportError } from "./error.ts";
import { memoryPair } from "./memory.ts";
import type { Chunk, Transport } from "./transport.ts";
import { fromWebStreams, toWebStreams } from "./web.ts";

function closing(transport: Transport): Promise<TransportError | undefined> {
  return new Promise((resolve) =>
    transport.start({ onData() {}, onDrain() {}, onEnd() {}, onClose: resolve }),
  );
}

it("an error of the readable closes with code read", async () => {
  const readable = new ReadableStream<Chunk>({
    start: (controller) => controller.error(new Error("no more")),
  });
  const error = await closing(
    fromWebStreams({ readable, writable: new WritableStream() }, { label: "a socket" }),
  );
  expect(error?.code).toBe("read");
  expect(error?.message).toBe("reading from a socket failed: no more");
});

it("an error of the writable closes with code write", async () => {
  const writable = new WritableStream<Chunk>({
    write() {
      throw new Error("no room");
    },
  });
  const transport = fromWebStreams({ readable: new ReadableStream(), writable });
  const closed = closing(transport);
  transport.write([new Uint8Array(1)]);
  expect((await closed)?.code).toBe("write");
});

it("abort cancels the one stream and aborts the other", async () => {
  const heard: string[] = [];
  const readable = new ReadableStream<Chunk>({ cancel: () => void heard.push("cancelled") });
  const writable = new WritableStream<Chunk>({ abort: () => void heard.push("aborted") });
  const transport = fromWebStreams({ readable, writable });
  const closed = closing(transport);
  transport.abort();
  expect(await closed).toBeUndefined();
  expect(heard.sort()).toEqual(["aborted", "cancelled"]);
});

it("a transport can be read and written as web streams", async () => {
  const [left, right] = memoryPair({ unit: "messages" });
  const [one, two] = [toWebStreams(left), toWebStreams(right)];
  const writer = one.writable.getWriter();
  for (const text of ["a", "b", "c"]) await writer.write(text);
  await writer.close();
  const read: Chunk[] = [];
  for await (const chunk of two.readable) read.push(chunk);
  expect(read).toEqual(["a", "b", "c"]);
  await two.writable.close();
  expect(await one.readable.getReader().read()).toEqual({ done: true, value: undefined });
});

it("a writer waits while the transport is full", async () => {
  const [left, right] = memoryPair({ highWater: 10 });
  const { writable } = toWebStreams(left);
  right.start({ onData() {}, onDrain() {}, onEnd() {}, onClose() {} });
  right.pause();
  let written = false;
  const writing = writable.getWriter().write(new Uint8Array(11));
  const done = writing.then(() => (written = true));
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  expect(written).toBe(false);
  right.resume();
  await done;
});

it("both streams fail with what closes the transport", async () => {
  const [left, right] = memoryPair();
  const { readable, writable } = toWebStreams(left);
  right.start({ onData() {}, onDrain() {}, onEnd() {}, onClose() {} });
  right.abort();
  await expect(readable.getReader().read()).rejects.toThrow("the far end aborted");
  await expect(writable.getWriter().closed).rejects.toThrow("the far end aborted");
});
