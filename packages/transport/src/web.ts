// To web streams and back, for whoever has one and needs the other. A hop through a web stream costs 0.3 to 1 µs a
// chunk: take the callbacks where speed matters.
import { TransportError } from "./error.ts";
import type { Chunk, Transport, TransportEvents } from "./transport.ts";

/** The two halves of a transport as web streams. */
export interface WebStreams {
  readonly readable: ReadableStream<Chunk>;
  readonly writable: WritableStream<Chunk>;
}

/**
 * A transport over two web streams, which it locks at once.
 *
 * `write` returns false while the writable's `desiredSize` is not positive. While paused one more chunk is read and
 * kept. An error of the readable closes it with code `read`, of the writable with `write`; `abort` cancels the one and
 * aborts the other.
 */
export function fromWebStreams(
  streams: { readonly readable: ReadableStream<Chunk>; readonly writable: WritableStream<Chunk> },
  options: { readonly unit?: "bytes" | "messages"; readonly label?: string } = {},
): Transport {
  return new WebTransport(streams, options.unit ?? "bytes", options.label ?? "web streams");
}

/**
 * The two halves of a transport that is not started yet.
 *
 * Each holds 64 KiB: when nobody reads that much the transport is paused, and a write waits while the transport is full. Closing the writable ends
 * our direction only. Cancelling the readable drops what still comes; aborting the writable aborts the transport. When
 * the transport closes with an error, both fail with it.
 */
export function toWebStreams(transport: Transport): WebStreams {
  let input: ReadableStreamDefaultController<Chunk> | undefined;
  let output: WritableStreamDefaultController | undefined;
  let drained: () => void = () => {};
  const room = { highWaterMark: 64 * 1024, size: (chunk?: Chunk) => chunk?.length ?? 0 };
  const readable = new ReadableStream<Chunk>(
    {
      start: (controller) => void (input = controller),
      pull: () => transport.resume(),
      cancel() {
        input = undefined;
        transport.resume();
      },
    },
    room,
  );
  const writable = new WritableStream<Chunk>(
    {
      start: (controller) => void (output = controller),
      write: (chunk) =>
        transport.write([chunk]) ? undefined : new Promise<void>((resolve) => (drained = resolve)),
      close: () => transport.close(),
      abort: (cause) => transport.abort(new TransportError("aborted", "the writable was aborted", { cause })),
    },
    room,
  );
  transport.start({
    onData(chunk) {
      input?.enqueue(chunk);
      if (input !== undefined && (input.desiredSize ?? 0) <= 0) transport.pause();
    },
    onDrain: () => drained(),
    onEnd() {
      input?.close();
      input = undefined;
    },
    onClose(error) {
      if (error === undefined) input?.close();
      else input?.error(error);
      output?.error(error ?? new TransportError("aborted", `the transport to ${transport.label} is closed`));
      drained();
    },
  });
  return { readable, writable };
}

class WebTransport implements Transport {
  readonly unit: "bytes" | "messages";
  readonly label: string;
  readonly #reader: ReadableStreamDefaultReader<Chunk>;
  readonly #writer: WritableStreamDefaultWriter<Chunk>;
  #events: TransportEvents | undefined;
  #reading: "flowing" | "paused" | "ended" = "flowing";
  #writing: "open" | "full" | "ended" | "flushed" = "open";
  #life: "open" | "over" = "open";
  #resumed: () => void = () => {};

  constructor(streams: WebStreams, unit: "bytes" | "messages", label: string) {
    this.#reader = streams.readable.getReader();
    this.#writer = streams.writable.getWriter();
    this.unit = unit;
    this.label = label;
    this.#writer.closed.catch((cause: unknown) => this.#failed("write", cause));
  }

  start(events: TransportEvents): void {
    this.#events = events;
    this.#read().catch((cause: unknown) => this.#failed("read", cause));
  }

  write(chunks: readonly Chunk[]): boolean {
    if (this.#life === "over" || this.#writing === "ended" || this.#writing === "flushed") return false;
    for (const chunk of chunks) {
      if (this.unit === "messages") continue;
      if (typeof chunk === "string")
        throw new TypeError("this transport carries bytes: encode text before writing it");
    }
    for (const chunk of chunks) {
      // `closed` tells of failures.
      if (this.unit === "messages" || chunk.length > 0) this.#writer.write(chunk).catch(() => {});
    }
    if (this.#writing === "full") return false;
    if ((this.#writer.desiredSize ?? 0) > 0) return true;
    this.#writing = "full";
    this.#writer.ready.then(() => this.#drained()).catch(() => {});
    return false;
  }

  pause(): void {
    if (this.#reading === "flowing") this.#reading = "paused";
  }

  resume(): void {
    if (this.#reading !== "paused") return;
    this.#reading = "flowing";
    this.#resumed();
  }

  close(): void {
    if (this.#writing === "ended" || this.#writing === "flushed" || this.#life === "over") return;
    this.#writing = "ended";
    const flushed = (): void => {
      this.#writing = "flushed";
      this.#settle();
    };
    this.#writer.close().then(flushed, () => {});
  }

  abort(error?: TransportError): void {
    if (this.#life === "over") return;
    this.#life = "over";
    this.#resumed();
    unheard(this.#reader.cancel(error));
    unheard(this.#writer.abort(error));
    queueMicrotask(() => this.#events?.onClose(error));
  }

  async #read(): Promise<void> {
    for (;;) {
      const { done, value } = await this.#reader.read();
      // A loop: whoever is resumed may pause again before it is this one's turn.
      while (this.#reading === "paused" && this.#life === "open") {
        await new Promise<void>((resolve) => (this.#resumed = resolve));
      }
      if (this.#life === "over") return;
      if (done) break;
      if (this.unit === "messages" || value.length > 0) this.#tell((events) => events.onData(value));
    }
    this.#reading = "ended";
    this.#tell((events) => events.onEnd());
    this.#settle();
  }

  #drained(): void {
    if (this.#writing !== "full" || this.#life === "over") return;
    this.#writing = "open";
    this.#tell((events) => events.onDrain());
  }

  #tell(what: (events: TransportEvents) => void): void {
    try {
      if (this.#events !== undefined) what(this.#events);
    } catch (cause) {
      this.abort(new TransportError("aborted", "a callback of this transport threw", { cause }));
    }
  }

  #settle(): void {
    if (this.#life === "over" || this.#reading !== "ended" || this.#writing !== "flushed") return;
    this.#life = "over";
    this.#events?.onClose();
  }

  #failed(code: "read" | "write", cause: unknown): void {
    const message = cause instanceof Error ? cause.message : String(cause);
    this.abort(
      new TransportError(
        code,
        `${code === "read" ? "reading from" : "writing to"} ${this.label} failed: ${message}`,
        { cause },
      ),
    );
  }
}

/** What a stream says after we have given it up interests nobody, and must not count as an unhandled rejection. */
function unheard(promise: Promise<unknown>): void {
  promise.catch(() => {});
}
