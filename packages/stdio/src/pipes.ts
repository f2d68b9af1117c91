// The way of the bytes, the same for both ends of a pipe: one node stream to read, one to write.
//
// Node streams with callbacks cost 0.1 µs a chunk; web streams ten times that on Deno. A list of chunks is corked, so
// that it leaves in one gathered write. We are full when the stream says so.
import { BusyPoll, TransportError, type Chunk, type TransportEvents } from "@sluice/transport";

/** What is used of a node `Readable`. */
export interface Input {
  on(event: "data", listener: (chunk: Uint8Array) => void): unknown;
  on(event: "end", listener: () => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  pause(): unknown;
  resume(): unknown;
  destroy(): unknown;
}

/** What is used of a node `Writable`. */
export interface Output {
  on(event: "drain" | "close", listener: () => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  cork(): void;
  write(chunk: Uint8Array): boolean;
  uncork(): void;
  end(onEnd: () => void): unknown;
  destroy(): unknown;
}

/** What the owner of the pipes must know. */
export interface PipesOwner {
  /** The input has ended; `tell` tells the user. To be called now, later, or never where `onClose` says more. */
  onInputEnd(tell: () => void): void;
  /** All we accepted is written and our direction has ended. */
  onOutputEnd(): void;
  /** Reading failed, writing failed, or a callback of the user threw. May come more than once. */
  onFailure(error: TransportError): void;
}

export class Pipes {
  readonly #input: Input;
  readonly #output: Output;
  readonly #owner: PipesOwner;
  readonly #label: string;
  #sending: "open" | "full" | "ended" = "open";
  #reading: "waiting" | "flowing" | "paused" = "waiting";
  #end: "none" | "held" | "told" = "none";
  /** What came while nobody wanted it: before the start, or because Node sets a paused stream flowing when a child exits. */
  #held: Uint8Array[] = [];
  #events: TransportEvents | undefined;
  readonly #poll: BusyPoll = new BusyPoll();

  constructor(input: Input, output: Output, label: string, owner: PipesOwner) {
    this.#input = input;
    this.#output = output;
    this.#label = label;
    this.#owner = owner;
    // From the beginning: a stream that breaks early breaks nothing else, and what comes early is not lost.
    input.on("error", (cause: Error) => this.#failed("read", cause));
    output.on("error", (cause: Error) => {
      this.#sending = "ended";
      this.#failed("write", cause);
    });
    output.on("drain", () => {
      if (this.#sending !== "full") return;
      this.#sending = "open";
      this.#guarded((to) => to.onDrain());
    });
    input.on("data", (chunk: Uint8Array) => this.#onData(chunk));
    input.on("end", () => {
      this.#end = "held";
      this.#passOn();
    });
    input.resume();
  }

  /** True when all that has come in was delivered. */
  get delivered(): boolean {
    return this.#held.length === 0 && this.#end !== "held";
  }

  /** True while the user does not want to be given anything. */
  get holding(): boolean {
    return this.#reading !== "flowing";
  }

  start(events: TransportEvents): void {
    this.#events = events;
    if (this.#reading === "waiting") this.#reading = "flowing";
    // Not in our caller's turn: it may not be ready for events yet.
    queueMicrotask(() => this.#passOn());
  }

  write(chunks: readonly Chunk[]): boolean {
    if (this.#sending === "ended") return false;
    let bytes = 0;
    for (const chunk of chunks) {
      if (typeof chunk === "string")
        throw new TypeError("this transport carries bytes: encode text before writing it");
      bytes += chunk.length;
    }
    this.#poll.wrote(bytes);
    const output = this.#output;
    let room = this.#sending === "open";
    if (chunks.length > 1) output.cork();
    for (const chunk of chunks) room = output.write(chunk as Uint8Array) && room;
    if (chunks.length > 1) output.uncork();
    if (!room) this.#sending = "full";
    return room;
  }

  /** The stream is paused with the next chunk, not now: Deno 2.9 hangs when it is paused before its first data. */
  pause(): void {
    this.#reading = "paused";
  }

  resume(): void {
    if (this.#events === undefined) return;
    this.#reading = "flowing";
    this.#passOn();
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
    this.#held = [];
  }

  /** Lets go of both streams; what is not written is lost. */
  destroy(): void {
    this.silence();
    this.#input.destroy();
    this.#output.destroy();
  }

  #onData(chunk: Uint8Array): void {
    if (this.#reading !== "flowing") {
      this.#held.push(chunk);
      this.#input.pause();
      return;
    }
    this.#poll.came(chunk.length);
    try {
      this.#events?.onData(chunk);
    } catch (cause) {
      this.#threw(cause);
    }
    this.#poll.waits();
  }

  #passOn(): void {
    const held = this.#held;
    while (this.#reading === "flowing" && held.length > 0) {
      const chunk = held.shift() as Uint8Array;
      this.#guarded((to) => to.onData(chunk));
    }
    if (this.#reading !== "flowing") return;
    this.#input.resume();
    if (this.#end !== "held") return;
    this.#end = "told";
    this.#owner.onInputEnd(() => this.#guarded((to) => to.onEnd()));
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
    this.#owner.onFailure(
      new TransportError("aborted", `a callback of the transport to ${this.#label} threw`, { cause }),
    );
  }

  #failed(code: "read" | "write", cause: Error): void {
    const what = code === "read" ? "reading from" : "writing to";
    this.#owner.onFailure(
      new TransportError(code, `${what} ${this.#label} failed: ${cause.message}`, { cause }),
    );
  }
}
