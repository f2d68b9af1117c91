// One direction as a body that lasts: the server's response, and the client's request with `upload: "stream"`. What is
// written waits here until the runtime asks for more, so what waits is counted once and small writes leave together.
import { encodeRecord, endRecord, RECORD_LIMIT, stillHere } from "./records.ts";

/** Bytes that leave in one record, where there are that many; a larger chunk leaves whole. */
const BATCH = 64 * 1024;

/** Who is told. */
export interface RecordBodyOwner {
  /** Half of what was too much has left. */
  onDrain(): void;
  /** The runtime has taken everything, and the end after it. */
  onEnded(): void;
  /** The runtime wants no more: the far end is gone. */
  onCancel(): void;
}

export interface RecordBodyOptions {
  /** Bytes that may wait before `write` returns false. */
  readonly highWater: number;
  /** How often a quiet body says that it is still there, in ms. */
  readonly keepAlive: number;
  /** How long the far end of a body that was cut may take to read what it has been given, in ms. */
  readonly grace: number;
}

export class RecordBody {
  readonly stream: ReadableStream<Uint8Array>;
  readonly #owner: RecordBodyOwner;
  readonly #options: RecordBodyOptions;
  #keepAlive: ReturnType<typeof setInterval> | undefined;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #queue: Uint8Array[] = [];
  #waiting = 0;
  #sending: "open" | "full" | "ending" | "over" = "open";
  /** Whether anything has left since the last look. */
  #lately: "quiet" | "busy" = "quiet";
  /** Answers the runtime that asked while there was nothing. */
  #asked: (() => void) | undefined;
  #due: "no" | "soon" = "no";
  /** Runs from a cut until the runtime asks for more. */
  #cutting: ReturnType<typeof setTimeout> | undefined;

  constructor(owner: RecordBodyOwner, options: RecordBodyOptions) {
    this.#owner = owner;
    this.#options = options;
    this.stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
          // Runtimes send a response's headers with its first byte.
          controller.enqueue(stillHere());
        },
        pull: () => {
          clearTimeout(this.#cutting);
          if (this.#sending === "over") return this.#controller?.close();
          this.#keepAlive ??= setInterval(() => this.#beat(), options.keepAlive);
          if (this.#queue.length > 0 || this.#sending === "ending") return this.#flush();
          return new Promise<void>((resolve) => (this.#asked = resolve));
        },
        cancel: () => {
          clearTimeout(this.#cutting);
          if (this.#sending === "over") return;
          this.#stop();
          this.#owner.onCancel();
        },
      },
      { highWaterMark: 0 },
    );
  }

  /** Takes all chunks; false when more than `highWater` waits. */
  write(chunks: readonly Uint8Array[]): boolean {
    if (this.#sending === "ending" || this.#sending === "over") return false;
    for (const chunk of chunks) {
      for (let at = 0; at < chunk.length; at += RECORD_LIMIT)
        this.#queue.push(chunk.subarray(at, at + RECORD_LIMIT));
      this.#waiting += chunk.length;
    }
    if (this.#waiting > this.#options.highWater) this.#sending = "full";
    this.#schedule();
    return this.#sending === "open";
  }

  /** Ends the direction after what waits. */
  end(): void {
    if (this.#sending === "ending" || this.#sending === "over") return;
    this.#sending = "ending";
    this.#schedule();
  }

  /**
   * Cuts the body: the far end sees that it has not ended (P1). What waits is lost. One that reads hears of it at once;
   * from one that does not, the connection is taken after `grace`.
   */
  cut(): void {
    if (this.#sending === "over") return;
    const asked = this.#asked !== undefined;
    this.#stop();
    if (asked) {
      this.#controller?.close();
      return;
    }
    // Not at once: Deno and Bun print the errors of a body.
    this.#cutting = setTimeout(
      () => this.#controller?.error(new Error("the session has ended, and its client did not read")),
      this.#options.grace,
    );
  }

  #schedule(): void {
    if (this.#asked === undefined || this.#due === "soon") return;
    this.#due = "soon";
    // After this turn, so that all it writes leaves together.
    queueMicrotask(() => {
      this.#due = "no";
      if (this.#asked !== undefined && this.#sending !== "over") this.#flush();
    });
  }

  #flush(): void {
    this.#lately = "busy";
    const batch: Uint8Array[] = [];
    let size = 0;
    for (const chunk of this.#queue) {
      if (size > 0 && size + chunk.length > BATCH) break;
      batch.push(chunk);
      size += chunk.length;
    }
    this.#queue.splice(0, batch.length);
    this.#waiting -= size;
    for (const piece of encodeRecord(batch)) this.#controller?.enqueue(piece);
    if (this.#sending === "ending" && this.#queue.length === 0) {
      this.#controller?.enqueue(endRecord());
      this.#controller?.close();
      this.#stop();
      this.#owner.onEnded();
      return;
    }
    this.#answer();
    if (this.#sending !== "full" || this.#waiting > this.#options.highWater / 2) return;
    this.#sending = "open";
    this.#owner.onDrain();
  }

  #beat(): void {
    if (this.#lately === "quiet" && this.#asked !== undefined) {
      this.#controller?.enqueue(stillHere());
      this.#answer();
    }
    this.#lately = "quiet";
  }

  #answer(): void {
    const answer = this.#asked;
    this.#asked = undefined;
    answer?.();
  }

  #stop(): void {
    this.#sending = "over";
    this.#queue = [];
    this.#waiting = 0;
    clearInterval(this.#keepAlive);
    this.#answer();
  }
}
