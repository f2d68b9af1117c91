// Between a stream of the application's and a half: one chunk at a time, each when there is room for it.
import type { ReceiveHalf, SendHalf } from "@sluice/streams";
import { encodeChunk } from "./chunks.ts";
import { codeOf, textOf } from "./stream-code.ts";
import { room } from "./writable.ts";

/** Where chunks come from. */
export interface Source {
  next(): Promise<{ readonly done?: boolean | undefined; readonly value?: unknown }>;
  cancel(reason: unknown): unknown;
}

export function sourceOfReadable(stream: ReadableStream<unknown>): Source {
  const reader = stream.getReader();
  return { next: () => reader.read(), cancel: (reason) => reader.cancel(reason) };
}

export function sourceOfIterable(iterable: AsyncIterable<unknown>): Source {
  const iterator = iterable[Symbol.asyncIterator]();
  return { next: () => iterator.next(), cancel: () => iterator.return?.() };
}

/**
 * Sends what the source gives. Ends with it; a source that fails resets the stream; a peer that stops, or a session
 * that ends, cancels the source.
 */
export async function pumpOut(open: () => Source, half: SendHalf): Promise<void> {
  try {
    const source = open();
    if (half.isOver) return cancel(source, half.error);
    half.onOver = (error): void => {
      if (error !== undefined) cancel(source, error);
    };
    for (;;) {
      if (!half.hasRoom) await room(half);
      if (half.isOver) return;
      const { done, value } = await source.next();
      if (half.isOver) return;
      if (done === true) return half.end();
      half.write(encodeChunk(half.of, value));
    }
  } catch (error) {
    half.reset(codeOf(error), textOf(error), "us", { cause: error });
  }
}

/**
 * Writes what the peer sends into the application's stream. Ends with it; a stream that fails stops the peer; a peer
 * that gives up, or a session that ends, aborts it, even while a write of it hangs.
 */
export async function pumpIn(half: ReceiveHalf, stream: WritableStream<unknown>): Promise<void> {
  // What hangs on the half hangs on its last write, too.
  const { onReleased } = half;
  half.onReleased = undefined;
  try {
    const writer = stream.getWriter();
    writer.closed.catch((error: unknown) => half.stop(codeOf(error), textOf(error)));
    for (;;) {
      if (writer.desiredSize === null || writer.desiredSize <= 0) {
        half.onReadable = (): void => {
          if (half.isOver && half.error !== undefined) writer.abort(half.error).catch(ignore);
        };
        await writer.ready;
      }
      const chunk = half.read() ?? (await arrival(half));
      if (chunk !== undefined) {
        writer.write(chunk).catch(ignore); // `closed` tells
        continue;
      }
      if (half.error === undefined) await writer.close();
      else writer.abort(half.error).catch(ignore);
      return;
    }
  } catch (error) {
    half.stop(codeOf(error), textOf(error));
  } finally {
    onReleased?.();
  }
}

/** The next chunk; undefined once nothing will come any more. */
function arrival(half: ReceiveHalf): Promise<unknown> {
  if (half.isOver) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    half.onReadable = (): void => {
      const chunk = half.read();
      if (chunk === undefined && !half.isOver) return;
      half.onReadable = undefined;
      resolve(chunk);
    };
  });
}

/** Lets go of a source that nobody will read. */
export function discard(open: () => Source, reason: unknown): void {
  try {
    cancel(open(), reason);
  } catch {
    // it cannot even be opened: there is nothing to let go of
  }
}

function cancel(source: Source, reason: unknown): void {
  Promise.resolve()
    .then(() => source.cancel(reason))
    .catch(ignore); // it has nobody left to tell
}

function ignore(): void {}
