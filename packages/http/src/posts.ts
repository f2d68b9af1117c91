// The upward direction as one POST after another (PROTOCOL.md, P3). What is written while one runs goes in the next. A
// POST that fails is sent again as it was: its offset tells the server what it has had.
import { encodeRecord, endRecord } from "./records.ts";
import type { Upload, UploadOwner } from "./upload.ts";

/** Bytes that go with the opening request: it cannot be sent again, and its body holds up nothing else. */
const FIRST = 64 * 1024;

/** Answers that say nothing of the session: of a proxy, or that the body came too slowly. */
const PASSING: readonly number[] = [408, 502, 503, 504];

export interface PostsOptions {
  readonly highWater: number;
  /** Bytes of one POST. */
  readonly post: number;
  readonly retries: number;
}

export class Posts implements Upload {
  readonly #owner: UploadOwner;
  readonly #options: PostsOptions;
  #abort = new AbortController();
  #queue: Uint8Array[] = [];
  /** Bytes that wait, or are in the POST that runs. */
  #waiting = 0;
  #offset = 0;
  #sending: "open" | "full" | "ending" | "over" = "open";
  #post: "unopened" | "none" | "running" = "unopened";
  /** Bytes that went with the opening request. */
  #first = 0;

  constructor(owner: UploadOwner, options: PostsOptions) {
    this.#owner = owner;
    this.#options = options;
  }

  write(chunks: readonly Uint8Array[]): boolean {
    if (this.#sending === "ending" || this.#sending === "over") return false;
    for (const chunk of chunks) {
      if (chunk.length > 0) this.#queue.push(chunk);
      this.#waiting += chunk.length;
    }
    if (this.#waiting > this.#options.highWater) this.#sending = "full";
    this.#schedule();
    return this.#sending === "open";
  }

  first(): Uint8Array<ArrayBuffer> | undefined {
    const batch = this.#take(FIRST);
    this.#first = batch.size;
    return batch.size === 0 ? undefined : batch.body;
  }

  begin(): void {
    this.#post = "none";
    this.#sent(this.#first);
    this.#schedule();
  }

  end(): void {
    if (this.#sending === "ending" || this.#sending === "over") return;
    this.#sending = "ending";
    this.#schedule();
  }

  stop(): void {
    this.#sending = "over";
    this.#queue = [];
    this.#abort.abort();
  }

  #schedule(): void {
    if (this.#post !== "none" || (this.#queue.length === 0 && this.#sending !== "ending")) return;
    this.#post = "running";
    // After this turn, so that all it writes goes together.
    queueMicrotask(() => void this.#run());
  }

  async #run(): Promise<void> {
    while (this.#sending !== "over") {
      const ends = this.#sending === "ending";
      const batch = this.#take(this.#options.post);
      const last = ends && this.#queue.length === 0;
      if (batch.size === 0 && !last) break;
      const body = last ? joined([batch.body, endRecord()]) : batch.body;
      if (!(await this.#delivered(body))) return;
      if (last) {
        this.#sending = "over";
        this.#owner.onEnded();
        return;
      }
      this.#sent(batch.size);
    }
    this.#post = "none";
  }

  /** False where it failed, or we were stopped. */
  async #delivered(body: Uint8Array<ArrayBuffer>): Promise<boolean> {
    for (let tries = this.#options.retries; ; tries--) {
      const failure = await this.#try(body);
      if (this.#over()) return false;
      if (failure === undefined) return true;
      if (tries > 0 && failure.again) continue;
      this.#owner.onFailure(failure.error);
      return false;
    }
  }

  async #try(body: Uint8Array<ArrayBuffer>): Promise<Failure | undefined> {
    try {
      // One for each: what listens to a signal that lives long is not let go of.
      this.#abort = new AbortController();
      const response = await this.#owner.post(body, this.#offset, this.#abort.signal);
      if (response.status === 204) return undefined;
      response.body?.cancel().catch(() => {});
      return { error: this.#owner.refused(response), again: PASSING.includes(response.status) };
    } catch (cause) {
      return { error: this.#owner.failed(cause), again: true };
    }
  }

  #over(): boolean {
    return this.#sending === "over";
  }

  /** The next chunks of at most `limit` bytes, as one record. */
  #take(limit: number): { readonly body: Uint8Array<ArrayBuffer>; readonly size: number } {
    const batch: Uint8Array[] = [];
    let size = 0;
    let whole = 0;
    for (const chunk of this.#queue) {
      const piece = chunk.subarray(0, limit - size);
      batch.push(piece);
      size += piece.length;
      if (piece.length < chunk.length) {
        this.#queue[whole] = chunk.subarray(piece.length);
        break;
      }
      whole++;
      if (size === limit) break;
    }
    this.#queue.splice(0, whole);
    return { body: joined(encodeRecord(batch)), size };
  }

  #sent(size: number): void {
    this.#offset += size;
    this.#waiting -= size;
    if (this.#sending !== "full" || this.#waiting > this.#options.highWater / 2) return;
    this.#sending = "open";
    this.#owner.onDrain();
  }
}

interface Failure {
  readonly error: ReturnType<UploadOwner["failed"]>;
  readonly again: boolean;
}

function joined(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
