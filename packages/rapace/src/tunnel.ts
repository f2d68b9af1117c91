import { CancelledError } from "@sluice/core";
import { StreamCode, StreamError } from "@sluice/streams";
import { bytesOf, nextChunk, over, room } from "./chunks.ts";
import { ErrorCode, RapaceError } from "./error.ts";
import type { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

/**
 * A pipe of bytes on one channel, both ways. Where chunks begin and end means nothing.
 *
 * `writable.close()` ends our direction and leaves the other open; `writable.abort(reason)` gives it up, and the peer's
 * reader fails. `readable.cancel()` drops what comes from then on, and once our direction is over, too, the peer is told.
 * Disposed of, both are given up, unless they have ended.
 */
export class Tunnel implements AsyncDisposable {
  /** To be named to the peer, who registers it. */
  readonly channel: number;
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  readonly #reader: Reader;
  readonly #writer: Writer;

  constructor(reader: Reader, writer: Writer) {
    this.channel = reader.channel;
    this.#reader = reader;
    this.#writer = writer;
    this.readable = new ReadableStream(source(reader), { highWaterMark: 0 });
    this.writable = new WritableStream(sink(writer));
  }

  [Symbol.asyncDispose](): Promise<void> {
    if (this.#writer.state === "open") giveUp(this.#writer, undefined);
    this.#reader.stop();
    return Promise.resolve();
  }
}

function source(reader: Reader): UnderlyingDefaultSource<Uint8Array> {
  return {
    async pull(controller): Promise<void> {
      for (;;) {
        const chunk = await nextChunk(reader);
        if (chunk === undefined) return controller.close();
        if (chunk.length > 0) return controller.enqueue(chunk); // an empty one is nothing
      }
    },
    cancel: () => {
      reader.onReadable = undefined;
      reader.stop();
    },
  };
}

function sink(writer: Writer): UnderlyingSink<Uint8Array> {
  return {
    start(controller): void {
      writer.onOver = (error): void => {
        if (error !== undefined) controller.error(error);
      };
    },
    write(chunk): void | Promise<void> {
      if (writer.error !== undefined) throw writer.error;
      if (!writer.write(bytesOf(chunk))) return room(writer);
    },
    close(): Promise<void> {
      writer.end();
      return over(writer);
    },
    abort: (reason) => giveUp(writer, reason),
  };
}

/** Gives our direction up. The peer is told the text of a `RapaceError`; of anything else only that it happened. */
function giveUp(writer: Writer, reason: unknown): void {
  const isCancel = reason === undefined || reason instanceof CancelledError || isAbort(reason);
  const told =
    reason instanceof RapaceError
      ? reason
      : isCancel
        ? new RapaceError(ErrorCode.cancelled, "cancelled")
        : new RapaceError(ErrorCode.aborted, "the writer failed");
  const code = isCancel ? StreamCode.cancelled : StreamCode.internal;
  writer.reset(new StreamError(code, "us", "given up before its end", { cause: reason }), told);
}

function isAbort(reason: unknown): boolean {
  return reason instanceof Error && reason.name === "AbortError";
}
