// Chunks between a web stream or an iterable and the machine: one at a time, each when there is room for it.
import type { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

/** What a body, or an answer of many items, may be given as. */
export type Chunks = AsyncIterable<Uint8Array> | ReadableStream<Uint8Array>;

export function isChunks(value: unknown): value is Chunks {
  if (typeof value !== "object" || value === null) return false;
  return Symbol.asyncIterator in value || value instanceof ReadableStream;
}

/** The next chunk; undefined once there will be none. Rejects with what went wrong, after what had come. */
export function nextChunk(reader: Reader): Promise<Uint8Array | undefined> {
  return new Promise((resolve, reject) => {
    const give = (): void => {
      // Reading may let more come before it returns, which would be told here and read twice.
      reader.onReadable = undefined;
      const chunk = reader.read();
      if (chunk === undefined && !reader.isOver) reader.onReadable = give;
      else if (chunk === undefined && reader.error !== undefined) reject(reader.error);
      else resolve(chunk);
    };
    give();
  });
}

/** Settles once there is room to write, or the writer is over. */
export function room(writer: Writer): Promise<void> {
  if (writer.hasRoom || writer.isOver) return Promise.resolve();
  return new Promise((resolve) => {
    const before = writer.onRoom;
    writer.onRoom = (): void => {
      writer.onRoom = before;
      before?.();
      resolve();
    };
  });
}

/** Settles once the end has been written. Rejects where it is over otherwise. */
export function over(writer: Writer): Promise<void> {
  return new Promise((resolve, reject) => {
    if (writer.isOver) return writer.error === undefined ? resolve() : reject(writer.error);
    const before = writer.onOver;
    writer.onOver = (error): void => {
      before?.(error);
      if (error === undefined) resolve();
      else reject(error);
    };
  });
}

/** The bytes of a chunk. @throws TypeError that says what to write */
export function bytesOf(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  if (ArrayBuffer.isView(chunk)) return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk);
  throw new TypeError(
    `a chunk is a Uint8Array, not ${chunk === null ? "null" : typeof chunk}: encode it first`,
  );
}

interface Source {
  next(): Promise<{ readonly done?: boolean | undefined; readonly value?: unknown }>;
  cancel(reason: unknown): unknown;
}

function sourceOf(chunks: Chunks): Source {
  if (chunks instanceof ReadableStream) {
    const reader = chunks.getReader();
    return { next: () => reader.read(), cancel: (reason) => reader.cancel(reason) };
  }
  const iterator = chunks[Symbol.asyncIterator]();
  return { next: () => iterator.next(), cancel: () => iterator.return?.() };
}

/**
 * Sends what `chunks` give, and ends with them. Where the writer is over first, they are let go of.
 * @throws what they throw, or a chunk that is too large; the writer is not over then
 */
export async function pump(chunks: Chunks, writer: Writer, largest: number): Promise<void> {
  const source = sourceOf(chunks);
  const letGo = (reason: unknown): void =>
    void Promise.resolve()
      .then(() => source.cancel(reason))
      .catch(() => {}); // it has nobody left to tell
  if (writer.isOver) return letGo(writer.error);
  writer.onOver = (error): void => {
    if (error !== undefined) letGo(error);
  };
  for (;;) {
    if (!writer.hasRoom) await room(writer);
    if (writer.isOver) return;
    const { done, value } = await source.next();
    if (writer.isOver) return;
    if (done === true) break;
    const chunk = bytesOf(value);
    if (chunk.length > largest) {
      letGo(undefined);
      throw new RangeError(`an item of ${chunk.length} bytes, the limit is ${largest} (limits.frame)`);
    }
    writer.write(chunk);
  }
  writer.end();
  await over(writer).catch(() => {}); // whoever ended it has said why
}
