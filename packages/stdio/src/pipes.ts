// The way of the bytes, the same for both ends of a pipe: one node stream to read, one to write.
//
// Node streams with callbacks cost 0.1 µs a chunk; web streams ten times that on Deno. A list of chunks is corked, so
// that it leaves in one gathered write. We are full when the stream says so.
import { TransportError, type Chunk, type TransportEvents } from "@sluice/transport";
import type { Readable, Writable } from "node:stream";

/** What the owner of the pipes must know. */
export interface PipesOwner {
  /** The input has ended, and the user has been told. */
  onInputEnd(): void;
  /** All we accepted is written and our direction has ended. */
  onOutputEnd(): void;
  /** Reading failed, writing failed, or a callback of the user threw. May come more than once. */
  onFailure(error: TransportError): void;
}

export class Pipes {
  readonly #input: Readable;
  readonly #output: Writable;
  readonly #owner: PipesOwner;
  readonly #label: string;
  #sending: "open" | "full" | "ended" = "open";
  #events: TransportEvents | undefined;

  constructor(input: Readable, output: Writable, label: string, owner: PipesOwner) {
    this.#input = input;
    this.#output = output;
    this.#label = label;
    this.#owner = owner;
    // From the start, so that a stream that breaks early breaks nothing else.
    input.on("error", (cause: Error) => this.#failed("read", cause));
    output.on("error", (cause: Error) => {
      this.#sending = "ended";
      this.#failed("write", cause);
    });
  }

  start(events: TransportEvents): void {
    this.#events = events;
    this.#output.on("drain", () => {
      if (this.#sending !== "full") return;
      this.#sending = "open";
      this.#guarded((to) => to.onDrain());
    });
    this.#input.on("data", (chunk: Uint8Array) => {
      try {
        this.#events?.onData(chunk);
      } catch (cause) {
        this.#threw(cause);
      }
    });
    this.#input.on("end", () => {
      this.#guarded((to) => to.onEnd());
      this.#owner.onInputEnd();
    });
  }

  write(chunks: readonly Chunk[]): boolean {
    if (this.#sending === "ended") return false;
    for (const chunk of chunks) {
      if (typeof chunk === "string") throw new TypeError("this transport carries bytes: encode text before writing it");
    }
    const output = this.#output;
    let room = this.#sending === "open";
    if (chunks.length > 1) output.cork();
    for (const chunk of chunks) room = output.write(chunk) && room;
    if (chunks.length > 1) output.uncork();
    if (!room) this.#sending = "full";
    return room;
  }

  pause(): void {
    this.#input.pause();
  }

  resume(): void {
    if (this.#events !== undefined) this.#input.resume();
  }

  /** Ends our direction once everything accepted is written. */
  end(): void {
    this.#sending = "ended";
    this.#output.end(() => this.#owner.onOutputEnd());
  }

  /** No event comes after this. */
  silence(): void {
    this.#sending = "ended";
    this.#events = undefined;
  }

  /** Lets go of both streams; what is not written is lost. */
  destroy(): void {
    this.silence();
    this.#input.destroy();
    this.#output.destroy();
  }

  #guarded(tell: (events: TransportEvents) => void): void {
    if (this.#events === undefined) return;
    try {
      tell(this.#events);
    } catch (cause) {
      this.#threw(cause);
    }
  }

  #threw(cause: unknown): void {
    this.#owner.onFailure(new TransportError("aborted", `a callback of the transport to ${this.#label} threw`, { cause }));
  }

  #failed(code: "read" | "write", cause: Error): void {
    const what = code === "read" ? "reading from" : "writing to";
    this.#owner.onFailure(new TransportError(code, `${what} ${this.#label} failed: ${cause.message}`, { cause }));
  }
}
