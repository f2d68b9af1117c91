// One output of a process, read as a web stream. Notifications cannot be held back, so what waits for its reader is
// bounded: beyond that only the numbers of the pieces are kept. Once half of what waits is read, a read brings the
// pieces themselves, as far as the executor still has them; if it has not, the output ends with an error behind what
// has arrived.
import { may, move, type Table } from "@sluice/streams";
import { ExecError } from "./client-error.ts";
import type { OutputChunk, ProcessRead } from "./client-wire.ts";

type OutputState = "keeping" | "skipping" | "fetching" | "over";
type OutputEvent = "full" | "fetch" | "fetched" | "behind" | "end";

export const OUTPUT: Table<OutputState, OutputEvent> = {
  keeping: { full: "skipping", end: "over" },
  skipping: { fetch: "fetching", end: "over" },
  // "behind": more was skipped than the read told of.
  fetching: { fetched: "keeping", behind: "skipping", end: "over" },
  over: {},
};

/** What a piece costs beside its bytes. */
const PIECE = 128;
/** Numbers of pieces that are not kept; executors keep 50,000 pieces, so one this far behind has lost some. */
const NUMBERS = 65_536;

export interface OutputSource {
  readonly stream: OutputChunk["stream"];
  /** Bytes that may wait, `PIECE` for each piece included. */
  readonly limit: number;
  /** All output of the process behind `afterSeq` that the executor still has. */
  read(afterSeq: number): Promise<ProcessRead>;
}

export class ProcessOutput {
  readonly readable: ReadableStream<Uint8Array>;
  readonly #source: OutputSource;
  #state: OutputState = "keeping";
  #queue: Uint8Array[] = [];
  #waiting = 0;
  /** The number up to which all has arrived, and those of the pieces behind it that were not kept. */
  #through = 0;
  #skipped: number[] = [];
  /** How it ends once all is read; undefined while more may come. */
  #end: "closed" | Error | undefined;
  #wake: () => void = () => {};

  constructor(source: OutputSource) {
    this.#source = source;
    this.readable = new ReadableStream<Uint8Array>(
      {
        pull: (controller) => this.#pull(controller),
        cancel: () => this.#over(),
      },
      { highWaterMark: 0 },
    );
  }

  /** The next piece. Pieces come in order. */
  push(seq: number, chunk: Uint8Array): void {
    if (seq <= this.#through || this.#end !== undefined || this.#state === "over") return;
    const full = this.#waiting > 0 && this.#waiting + chunk.length + PIECE > this.#source.limit;
    if (this.#state === "keeping" && full) this.#move("full");
    if (this.#state === "keeping") {
      this.#through = seq;
      this.#keep(chunk);
    } else if (this.#skipped.length < NUMBERS) this.#skipped.push(seq);
    else this.fail(lost("its reader was too far behind"));
  }

  /** No more comes. */
  close(): void {
    this.#end ??= "closed";
    this.#wake();
  }

  /** No more comes, as something went wrong. What has arrived is read first. */
  fail(reason: Error): void {
    if (this.#end instanceof Error) return;
    this.#end = reason;
    this.#wake();
  }

  /** Nobody reads it. */
  async letGo(): Promise<void> {
    if (!this.readable.locked) return this.readable.cancel();
    this.#queue = [];
    this.#waiting = 0;
    this.fail(new ExecError("closed", "the process was let go of"));
  }

  async #pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    for (;;) {
      if (this.#state === "over") return;
      const isHalfRead = this.#waiting <= this.#source.limit / 2;
      if (this.#state === "skipping" && isHalfRead && !(this.#end instanceof Error)) void this.#fetch();
      const chunk = this.#queue.shift();
      if (chunk !== undefined) {
        this.#waiting -= chunk.length + PIECE;
        return controller.enqueue(chunk);
      }
      if (this.#end instanceof Error) {
        controller.error(this.#end);
        return this.#over();
      }
      if (this.#end === "closed" && this.#state === "keeping") {
        controller.close();
        return this.#over();
      }
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async #fetch(): Promise<void> {
    this.#move("fetch");
    const after = this.#through;
    try {
      const { chunks, nextSeq } = await this.#source.read(after);
      if (this.#state !== "fetching") return;
      const own = chunks.filter(({ seq, stream }) => seq > after && stream === this.#source.stream);
      const told = new Set(own.map(({ seq }) => seq));
      // The answer may be older than the last notifications before it.
      const later = this.#skipped.filter((seq) => seq >= nextSeq);
      const isWhole = this.#skipped.every((seq) => seq >= nextSeq || told.has(seq));
      if (!isWhole || later.length === this.#skipped.length) throw lost("its reader was too far behind");
      for (const { chunk } of own) this.#keep(chunk);
      this.#through = nextSeq - 1;
      this.#skipped = later;
      this.#move(later.length === 0 ? "fetched" : "behind");
    } catch (error) {
      if (this.#state === "fetching") this.fail(lostFor(error as Error));
    }
    this.#wake();
  }

  #keep(chunk: Uint8Array): void {
    this.#queue.push(chunk);
    this.#waiting += chunk.length + PIECE;
    this.#wake();
  }

  #over(): void {
    this.#queue = [];
    this.#waiting = 0;
    if (may(OUTPUT, this.#state, "end")) this.#move("end");
    this.#wake();
  }

  #move(event: OutputEvent): void {
    this.#state = move(OUTPUT, this.#state, event);
  }
}

function lost(why: string): ExecError {
  return new ExecError("output lost", `output of the process is lost: ${why} (limits.unread)`);
}

/** A process the executor knows no more has no output any more either. */
function lostFor(error: Error): Error {
  if (!(error instanceof ExecError) || error.code === undefined) return error;
  const message = `output of the process is lost: its reader was too far behind (limits.unread): ${error.message}`;
  return new ExecError("output lost", message, { cause: error, code: error.code });
}
