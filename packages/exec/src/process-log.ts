// What a process has said and what has become of it, as one numbered list: output, its exit, the end of its output. Kept
// for whoever reads later, up to a bound; what is forgotten leaves a gap in the numbers, which a reader can see.
import { toBase64 } from "@sluice/codec";

export type OutputStream = "stdout" | "stderr" | "pty";

/** `chunk` is base64, made once for all who are told. */
export interface OutputChunk {
  readonly seq: number;
  readonly stream: OutputStream;
  readonly chunk: string;
}

/** The answer to `process/read`. */
export interface ProcessReport {
  readonly chunks: readonly OutputChunk[];
  readonly nextSeq: number;
  readonly exited: boolean;
  readonly exitCode: number | null;
  readonly closed: boolean;
  readonly failure: string | null;
  readonly sandboxDenied: false;
}

export interface Retention {
  readonly retainedBytes: number;
  readonly retainedChunks: number;
}

interface Kept extends OutputChunk {
  readonly size: number;
}

export class ProcessLog {
  readonly #retention: Retention;
  readonly #watchers: Set<() => void> = new Set();
  #kept: Kept[] = [];
  /** Those before it are forgotten. */
  #first = 0;
  #bytes = 0;
  #next = 1;
  #exitCode: number | undefined;
  #output: "open" | "closed" = "open";
  #failure: string | undefined;

  constructor(retention: Retention) {
    this.#retention = retention;
  }

  get hasExited(): boolean {
    return this.#exitCode !== undefined;
  }
  get isClosed(): boolean {
    return this.#output === "closed";
  }

  add(stream: OutputStream, bytes: Uint8Array): OutputChunk {
    const chunk = { seq: this.#next++, stream, chunk: toBase64(bytes) };
    this.#kept.push({ ...chunk, size: bytes.length });
    this.#bytes += bytes.length;
    this.#forget();
    this.#changed();
    return chunk;
  }

  /** Its number. */
  exit(code: number): number {
    this.#exitCode = code;
    const seq = this.#next++;
    this.#changed();
    return seq;
  }

  /** Its number. */
  close(): number {
    this.#output = "closed";
    const seq = this.#next++;
    this.#changed();
    return seq;
  }

  /** Why it was ended here. */
  fail(why: string): void {
    this.#failure ??= why;
    this.#changed();
  }

  /**
   * What came after `afterSeq`. With `maxBytes` as many chunks as fit, the first in any case, and `nextSeq` is behind the
   * last of them; without, `nextSeq` is behind everything.
   */
  read(afterSeq: number, maxBytes: number | undefined): ProcessReport {
    const chunks: OutputChunk[] = [];
    let left = maxBytes ?? Number.POSITIVE_INFINITY;
    for (let at = this.#after(afterSeq); at < this.#kept.length; at++) {
      const { seq, stream, chunk, size } = this.#kept[at]!;
      if (size > left && chunks.length > 0) break;
      left -= size;
      chunks.push({ seq, stream, chunk });
    }
    const last = maxBytes === undefined ? undefined : chunks.at(-1);
    return {
      chunks,
      nextSeq: last === undefined ? this.#next : last.seq + 1,
      exited: this.hasExited,
      exitCode: this.#exitCode ?? null,
      closed: this.isClosed,
      failure: this.#failure ?? null,
      sandboxDenied: false,
    };
  }

  /** Whether a reader who has seen everything up to `afterSeq` has something to be told, now or ever. */
  hasNews(afterSeq: number): boolean {
    return this.#next - 1 > afterSeq || this.isClosed || this.#failure !== undefined;
  }

  /** Called after every change, until what it returns is called. */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  #changed(): void {
    for (const watcher of this.#watchers) watcher();
  }

  #forget(): void {
    const { retainedBytes, retainedChunks } = this.#retention;
    while (this.#bytes > retainedBytes || this.#kept.length - this.#first > retainedChunks)
      this.#bytes -= this.#kept[this.#first++]!.size;
    if (this.#first < 64 || this.#first < this.#kept.length / 2) return;
    this.#kept = this.#kept.slice(this.#first);
    this.#first = 0;
  }

  /** Where the chunks after `seq` begin: the numbers only go up. */
  #after(seq: number): number {
    let low = this.#first;
    let high = this.#kept.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#kept[middle]!.seq > seq) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
