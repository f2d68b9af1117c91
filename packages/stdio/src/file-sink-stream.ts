import process from "node:process";
import { Writable } from "node:stream";

/** What we use of Bun's `FileSink`. */
export interface FileSink {
  write(chunk: Uint8Array): unknown;
  /** A promise where the pipe is full. */
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

/** A sink of Bun's as a node stream: chunks that are written together leave together. */
export class FileSinkStream extends Writable {
  readonly #sink: FileSink;

  constructor(sink: FileSink) {
    super({ highWaterMark: 256 * 1024, decodeStrings: false });
    this.#sink = sink;
  }

  override _write(chunk: Uint8Array, _encoding: string, done: Done): void {
    this.#put([{ chunk }], done);
  }

  override _writev(chunks: { chunk: Uint8Array }[], done: Done): void {
    this.#put(chunks, done);
  }

  override _final(done: Done): void {
    Promise.resolve(this.#sink.end()).then(() => done(), done);
  }

  #put(chunks: { chunk: Uint8Array }[], done: Done): void {
    // Promises only where the pipe is full. When it breaks, some of them stay pending for ever and others reject (Bun
    // 1.4), so the first to reject decides, and all are listened to.
    const pending: unknown[] = [];
    try {
      for (const { chunk } of chunks) {
        const written = this.#sink.write(chunk);
        if (written instanceof Promise) pending.push(written);
      }
      const flushed = this.#sink.flush();
      if (flushed instanceof Promise) pending.push(flushed);
    } catch (error) {
      return done(error as Error);
    }
    if (pending.length === 0) done();
    else Promise.all(pending).then(() => done(), done);
  }
}

type Done = (error?: Error | null) => void;
