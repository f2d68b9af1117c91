import { EventEmitter } from "node:events";
import type { Output } from "./pipes.ts";

/** What we use of Bun's `FileSink`. */
export interface FileSink {
  /** A promise where the pipe is full. */
  write(chunk: Uint8Array): unknown;
  flush(): unknown;
  end(): unknown;
}

declare const Bun: { file(fd: number): { writer(options: { highWaterMark: number }): FileSink } };

/**
 * The writer inside `process.stdout`. A second one would open a second descriptor, and the pipe would not end for its
 * reader before both are closed. Should Bun hide it some day, a writer of our own serves, and the reader sees the end
 * when the process ends.
 */
export function standardOutput(): FileSink {
  const inside = process.stdout as unknown as Record<symbol, unknown>;
  for (const key of Object.getOwnPropertySymbols(inside)) {
    const value = inside[key];
    if (value?.constructor?.name === "FileSink") return value as FileSink;
  }
  return Bun.file(1).writer({ highWaterMark: 256 * 1024 });
}

/**
 * A sink of Bun's that speaks as a node stream does, as far as `Pipes` listens. It is full as soon as the pipe is.
 * As a real `Writable`, small echoes were a seventh slower (88k against 102k a second).
 */
export class BunOutput extends EventEmitter implements Output {
  readonly #sink: FileSink;
  #corked = false;
  #state: "open" | "full" | "ending" | "closed" = "open";
  /** Writes the pipe has not taken yet. */
  #waiting = 0;
  #onEnd: () => void = () => {};

  constructor(sink: FileSink) {
    super();
    this.#sink = sink;
  }

  write(chunk: Uint8Array): boolean {
    try {
      const written = this.#sink.write(chunk);
      const flushed = this.#corked ? undefined : this.#sink.flush();
      if (written instanceof Promise || flushed instanceof Promise) this.#wait([written, flushed]);
    } catch (error) {
      this.#break(error);
    }
    return this.#state === "open";
  }

  cork(): void {
    this.#corked = true;
  }

  uncork(): void {
    this.#corked = false;
    try {
      const flushed = this.#sink.flush();
      if (flushed instanceof Promise) this.#wait([flushed]);
    } catch (error) {
      this.#break(error);
    }
  }

  end(onEnd: () => void): void {
    if (this.#state === "closed") return;
    const waits = this.#state === "full";
    this.#state = "ending";
    this.#onEnd = onEnd;
    if (!waits) this.#close();
  }

  destroy(): void {
    this.#shut();
  }

  #wait(pending: unknown[]): void {
    // When a pipe breaks, some of its promises stay pending for ever and others reject (Bun 1.4): so the first to
    // reject decides, and all are listened to.
    if (this.#state === "open") this.#state = "full";
    this.#waiting++;
    Promise.all(pending).then(
      () => this.#flushed(),
      (error: unknown) => this.#break(error),
    );
  }

  #flushed(): void {
    if (--this.#waiting > 0) return;
    if (this.#state === "ending") this.#close();
    if (this.#state !== "full") return;
    this.#state = "open";
    this.emit("drain");
  }

  #close(): void {
    Promise.resolve(this.#sink.end()).then(
      () => {
        if (this.#state === "closed") return;
        this.#onEnd();
        this.#shut();
      },
      (error: unknown) => this.#break(error),
    );
  }

  #break(error: unknown): void {
    if (this.#state === "closed") return;
    this.emit("error", error);
    this.#shut();
  }

  #shut(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    try {
      // Whatever it has to say now, nobody listens.
      Promise.resolve(this.#sink.end()).catch(() => {});
    } catch {
      // Ended already.
    }
    this.emit("close");
  }
}
