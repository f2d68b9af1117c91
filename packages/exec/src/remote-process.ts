// A process at the executor. Its events come as notifications and, where those are missing, by reads; `ProcessSequence`
// puts them in order. It outlives the session it was started in: on the next one a read tells what was missed.
import type { CallOptions } from "@sluice/session";
import { toBase64 } from "@sluice/codec";
import { may, move, type Table } from "@sluice/streams";
import { ExecError } from "./client-error.ts";
import { decode, processRead, processTerminated, processWritten, type ProcessRead } from "./client-wire.ts";
import { ProcessOutput } from "./remote-process-output.ts";
import { ProcessSequence, type ProcessEvent, type SequenceLimits } from "./remote-process-sequence.ts";

/** How a process ended. */
export interface ProcessExit {
  /** 128 and the signal's number where a signal ended it. */
  readonly exitCode: number;
  /** Whether its sandbox kept something from it, where the executor tells. */
  readonly sandboxDenied: boolean;
}

/** Disposing of it terminates the process and lets go of its output. */
export interface RemoteProcess extends AsyncDisposable {
  readonly id: string;
  /**
   * What it writes. Empty with `tty`, where all comes by `output`. Bytes that nobody reads wait, up to
   * `limits.unread`; an output of no interest is best cancelled. Cut short it ends with an `ExecError`, behind what has
   * arrived.
   */
  readonly stdout: ReadableStream<Uint8Array>;
  readonly stderr: ReadableStream<Uint8Array>;
  /** What its terminal shows, with `tty`; otherwise empty. */
  readonly output: ReadableStream<Uint8Array>;
  /** Settles when it has ended; its output may not all have come yet. Rejects with an `ExecError`. */
  readonly exited: Promise<ProcessExit>;
  /** Settles when it has ended and all its output has come. Rejects with an `ExecError`. */
  readonly closed: Promise<void>;
  /**
   * Writes to its input, in the order of the calls. Settles when the executor has taken it. A connection that is lost
   * meanwhile does no harm: it is sent again, and taken once.
   * @throws ExecError of kind `refused` where it takes no input (see `pipeStdin`), or too much waits already.
   */
  write(data: Uint8Array | string): Promise<void>;
  /** `interrupt` is what Ctrl-C does. No error where it has ended. */
  signal(signal: "interrupt"): Promise<void>;
  /** Kills it, with all it has started. Settles with whether it still ran. */
  terminate(): Promise<boolean>;
}

type ProcessState = "running" | "exited" | "closed" | "failed";
type ProcessMove = "exit" | "close" | "fail";

export const PROCESS: Table<ProcessState, ProcessMove> = {
  running: { exit: "exited", fail: "failed" },
  exited: { close: "closed", fail: "failed" },
  closed: {},
  failed: {},
};

/** What a process is given to speak with its executor. */
export interface ProcessHost {
  readonly limits: SequenceLimits & { readonly unread: number; readonly unwritten: number };
  call(method: string, params: unknown, options?: CallOptions): Promise<unknown>;
  /** As `call`, whenever there is a session, and again on the next where one is lost. */
  repeat(method: string, params: unknown): Promise<unknown>;
  /** Settles when calls may be made, as the client's policy has it. */
  ready(): Promise<void>;
  nextWriteId(): string;
  /** It has no events any more. */
  over(process: Process): void;
}

/** Bytes of one write on the wire. */
const PIECE = 1024 * 1024;

export class Process implements RemoteProcess {
  readonly id: string;
  readonly exited: Promise<ProcessExit>;
  readonly closed: Promise<void>;
  readonly #host: ProcessHost;
  readonly #sequence: ProcessSequence;
  readonly #outputs: Readonly<Record<"stdout" | "stderr" | "pty", ProcessOutput>>;
  #state: ProcessState = "running";
  #exit: PromiseWithResolvers<ProcessExit> = Promise.withResolvers();
  #close: PromiseWithResolvers<void> = Promise.withResolvers();
  #reading: "no" | "yes" = "no";
  #unwritten = 0;
  #lastWrite: Promise<unknown> = Promise.resolve();

  constructor(id: string, host: ProcessHost) {
    this.id = id;
    this.#host = host;
    this.#sequence = new ProcessSequence(host.limits);
    const output = (stream: "stdout" | "stderr" | "pty"): ProcessOutput =>
      new ProcessOutput({
        stream,
        limit: host.limits.unread,
        read: (afterSeq) => this.#read(afterSeq),
      });
    this.#outputs = { stdout: output("stdout"), stderr: output("stderr"), pty: output("pty") };
    this.exited = this.#exit.promise;
    this.closed = this.#close.promise;
    // Nobody has to wait for either.
    this.exited.catch(() => {});
    this.closed.catch(() => {});
  }

  get stdout(): ReadableStream<Uint8Array> {
    return this.#outputs.stdout.readable;
  }
  get stderr(): ReadableStream<Uint8Array> {
    return this.#outputs.stderr.readable;
  }
  get output(): ReadableStream<Uint8Array> {
    return this.#outputs.pty.readable;
  }

  async write(data: Uint8Array | string): Promise<void> {
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data.slice();
    if (this.#unwritten + bytes.length > this.#host.limits.unwritten)
      throw new ExecError(
        "refused",
        "too much waits to be written (limits.unwritten): wait for the last write",
      );
    this.#unwritten += bytes.length;
    const ready = this.#host.ready();
    const written = Promise.all([ready, this.#lastWrite]).then(() => this.#write(bytes));
    this.#lastWrite = written.catch(() => {}); // its own caller is told
    try {
      await written;
    } finally {
      this.#unwritten -= bytes.length;
    }
  }

  async signal(signal: "interrupt"): Promise<void> {
    await this.#host.call("process/signal", { processId: this.id, signal });
  }

  async terminate(): Promise<boolean> {
    await this.#host.ready();
    const answer = await this.#kill();
    return decode(processTerminated, answer, "the answer to process/terminate").running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { stdout, stderr, pty } = this.#outputs;
    await Promise.all([stdout.letGo(), stderr.letGo(), pty.letGo()]);
    if (this.#state === "closed" || this.#state === "failed") return;
    // A client that is over has no processes: its executor ends them.
    await this.#kill().catch(() => {});
  }

  onEvent(event: ProcessEvent): void {
    if (this.#isOver) return;
    this.#apply(this.#sequence.push(event));
    if (this.#sequence.needsRead) void this.#catchUp();
  }

  /** On a new session: what has happened since the last event, by `read`. Throws where that session is lost, too. */
  async resume(read: (params: unknown) => Promise<unknown>): Promise<void> {
    try {
      const answer = await read(this.#missing(this.#sequence.last));
      if (!this.#isOver) this.#merge(decode(processRead, answer, READ));
    } catch (error) {
      const isOwn = error instanceof ExecError && (error.code !== undefined || error.kind === "protocol");
      if (!isOwn) throw error;
      this.fail(error);
    }
  }

  /** It is over without its end being known; `why` is what everybody who waits is told. */
  fail(why: Error): void {
    if (this.#isOver) return;
    this.#move("fail");
    this.#host.over(this);
    for (const output of Object.values(this.#outputs)) output.fail(why);
    this.#exit.reject(why);
    this.#close.reject(why);
  }

  /** Its events cannot be told any more: it must not run on unseen. */
  giveUp(why: ExecError): void {
    this.fail(why);
    this.#kill().catch(() => {}); // a client that is over has no processes
  }

  get #isOver(): boolean {
    return !may(PROCESS, this.#state, "fail");
  }

  #apply(events: ReturnType<ProcessSequence["merge"]>): void {
    if (events === "gap") return this.giveUp(new ExecError("output lost", LOST));
    if (events === "conflict")
      return this.giveUp(new ExecError("protocol", "events of the process contradict each other"));
    for (const event of events) {
      if (event.kind === "output") this.#outputs[event.stream].push(event.seq, event.chunk);
      else if (event.kind === "exited") this.#onExit(event);
      else this.#onClose();
    }
  }

  #onExit({ exitCode, sandboxDenied }: ProcessEvent & { kind: "exited" }): void {
    this.#move("exit");
    this.#exit.resolve({ exitCode, sandboxDenied });
  }

  #onClose(): void {
    if (!may(PROCESS, this.#state, "close"))
      return this.giveUp(new ExecError("protocol", "the process was closed before it had exited"));
    this.#move("close");
    this.#host.over(this);
    for (const output of Object.values(this.#outputs)) output.close();
    this.#close.resolve();
  }

  #kill(): Promise<unknown> {
    return this.#host.repeat("process/terminate", { processId: this.id });
  }

  async #catchUp(): Promise<void> {
    if (this.#reading === "yes") return;
    this.#reading = "yes";
    try {
      while (!this.#isOver && this.#sequence.needsRead) {
        const before = this.#sequence.last;
        this.#merge(await this.#read(before));
        if (this.#sequence.last === before) throw new ExecError("output lost", LOST);
      }
    } catch (error) {
      if (!this.#isOver) this.giveUp(error as ExecError);
    } finally {
      this.#reading = "no";
    }
  }

  #merge(read: ProcessRead): void {
    if (read.failure !== null && read.failure !== undefined)
      return this.giveUp(new ExecError("answered", `the process failed at the executor: ${read.failure}`));
    this.#apply(this.#sequence.merge(read));
  }

  async #read(afterSeq: number): Promise<ProcessRead> {
    return decode(processRead, await this.#host.repeat("process/read", this.#missing(afterSeq)), READ);
  }

  // Without `maxBytes`: only then exit and close are counted.
  #missing(afterSeq: number): object {
    return { processId: this.id, afterSeq, waitMs: 0 };
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += PIECE) {
      const chunk = toBase64(bytes.subarray(at, at + PIECE));
      const params = { processId: this.id, chunk, writeId: this.#host.nextWriteId() };
      const answer = await this.#host.repeat("process/write", params);
      const { status } = decode(processWritten, answer, "the answer to process/write");
      if (status !== "accepted") throw notWritten(status);
    }
  }

  #move(event: ProcessMove): void {
    this.#state = move(PROCESS, this.#state, event);
  }
}

const READ = "the answer to process/read";
const LOST =
  "output of the process is lost: the connection was away for longer than the executor keeps it; the process is terminated";

function notWritten(status: string): ExecError {
  if (status === "unknownProcess") return new ExecError("not found", "process/write: unknown process");
  if (status === "stdinClosed")
    return new ExecError(
      "refused",
      "the process takes no input: it was started without pipeStdin and tty, or closed it",
    );
  return new ExecError("refused", "the process takes no input yet: it is still being started");
}
