// One process of a session. What it says goes into its log and, while a connection is there, to the peer. A connection
// that takes its time holds the process back: its pipes are not read until what was read has been handed over. Without
// a connection nothing holds it back, and the log forgets.
import type { Clock } from "./executor-clock.ts";
import { invalidParams, overLimit } from "./executor-error.ts";
import type { ExecutorLimits } from "./executor-limits.ts";
import type { Child, ChildEvents, WriteStatus } from "./process-child.ts";
import { ProcessLog, type OutputStream, type ProcessReport } from "./process-log.ts";

/** Tells the peer; settles once that has been handed to the transport. */
export type Notify = (method: string, params: unknown) => Promise<void>;

export interface ReadParams {
  readonly afterSeq?: number | undefined;
  readonly maxBytes?: number | undefined;
  readonly waitMs?: number | undefined;
}

/** A peer that is attached, and the bytes it has been sent and not taken. */
interface Listener {
  readonly notify: Notify;
  unsent: number;
}

/** Starts the child that `events` are about. */
type Start = (events: ChildEvents) => Promise<Child>;

export class ExecProcess implements ChildEvents {
  readonly id: string;
  /** Settles when it runs, or cannot. */
  readonly started: Promise<"running" | "failed">;
  /** Settles when it has exited, or was never started. */
  readonly gone: Promise<void>;
  readonly #limits: ExecutorLimits;
  readonly #clock: Clock;
  readonly #log: ProcessLog;
  readonly #writes: Map<string, Promise<WriteStatus>> = new Map();
  readonly #onClosed: () => void;
  #waitingWrites = 0;
  #child: Child | undefined;
  #end: "none" | "wanted" = "none";
  #listener: Listener | undefined;
  #isGone: () => void = () => {};
  #stopWaiting: (() => void) | undefined;
  #isStarted: (how: "running" | "failed") => void = () => {};

  constructor(id: string, limits: ExecutorLimits, clock: Clock, onClosed: () => void) {
    this.id = id;
    this.#limits = limits;
    this.#clock = clock;
    this.#onClosed = onClosed;
    this.#log = new ProcessLog(limits);
    this.started = new Promise((resolve) => (this.#isStarted = resolve));
    this.gone = new Promise((resolve) => (this.#isGone = resolve));
  }

  get isStarting(): boolean {
    return this.#child === undefined;
  }

  async start(start: Start): Promise<void> {
    try {
      this.#child = await start(this);
    } catch (error) {
      this.#isStarted("failed");
      this.#isGone();
      throw error;
    }
    this.#isStarted("running");
    if (this.#end === "wanted") this.#child.signal("SIGKILL");
    else if ((this.#listener?.unsent ?? 0) > 0) this.#child.pause();
  }

  /** From now on it is told what happens; what happened before is there to be read. */
  attach(notify: Notify): void {
    this.#listener = { notify, unsent: 0 };
  }

  detach(): void {
    this.#listener = undefined;
    this.#child?.resume();
  }

  /** Answers at once where there is something new, or nothing to wait for; else once there is, or `waitMs` has passed. */
  async read(params: ReadParams, signal: () => AbortSignal): Promise<ProcessReport> {
    const { afterSeq = 0, maxBytes, waitMs = 0 } = params;
    if (waitMs > 0 && !this.#log.hasNews(afterSeq))
      await this.#news(afterSeq, Math.min(waitMs, this.#limits.wait), signal());
    return this.#log.read(afterSeq, maxBytes);
  }

  /** The same `writeId` again is the same write. */
  write(bytes: Uint8Array, writeId: string): Promise<WriteStatus> {
    const before = this.#writes.get(writeId);
    if (before !== undefined) return before;
    const { writeIds, writes } = this.#limits;
    if (this.#child === undefined) throw invalidParams("the process is being started");
    if (this.#waitingWrites >= writes)
      throw overLimit("writes", writes, "the process does not read: too many writes wait for it");
    this.#waitingWrites++;
    const written = this.#child.write(bytes).finally(() => this.#waitingWrites--);
    this.#writes.set(writeId, written);
    const [oldest] = this.#writes.keys();
    if (this.#writes.size > writeIds && oldest !== undefined) this.#writes.delete(oldest);
    return written;
  }

  interrupt(): void {
    if (!this.#log.isClosed) this.#child?.signal("SIGINT");
  }

  /** Ends it and what it has started. Whether it was running. */
  terminate(): boolean {
    this.#end = "wanted";
    const running = !this.#log.hasExited;
    if (!this.#log.isClosed) this.#child?.signal("SIGKILL");
    if (!running) this.#letGo();
    return running;
  }

  // What the child tells.

  output(stream: OutputStream, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += PIECE) {
      const piece = bytes.subarray(at, at + PIECE);
      const chunk = this.#log.add(stream, piece);
      this.#tell("process/output", { processId: this.id, ...chunk }, piece.length);
    }
  }

  exited(exitCode: number): void {
    const seq = this.#log.exit(exitCode);
    this.#tell("process/exited", { processId: this.id, seq, exitCode, sandboxDenied: false }, 0);
    if (this.#end === "wanted") this.#letGo();
    this.#isGone();
  }

  closed(): void {
    this.#stopWaiting?.();
    this.#tell("process/closed", { processId: this.id, seq: this.#log.close() }, 0);
    this.#onClosed();
  }

  /** Its group has been killed, and nobody waits long for what has left that. */
  #letGo(): void {
    if (this.#log.isClosed || this.#stopWaiting !== undefined) return;
    this.#stopWaiting = this.#clock.after(this.#limits.lingering, () => this.#child?.release());
  }

  #tell(method: string, params: unknown, size: number): void {
    const listener = this.#listener;
    if (listener === undefined) return;
    listener.unsent += size;
    if (size > 0) this.#holdBack(listener.unsent);
    const taken = (): void => {
      listener.unsent -= size;
      if (listener.unsent === 0 && listener === this.#listener) this.#child?.resume();
    };
    // It rejects where the session is over, or takes no more; then this listener will leave.
    listener.notify(method, params).then(taken, taken);
  }

  #holdBack(unsent: number): void {
    const child = this.#child;
    child?.pause();
    if (child?.whenPaused !== "held" || unsent <= this.#limits.terminalHeld) return;
    this.#log.fail(
      `its terminal wrote more than limits.terminalHeld (${this.#limits.terminalHeld} bytes) before the connection took it`,
    );
    this.terminate();
  }

  #news(afterSeq: number, ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        stopWaiting();
        stopWatching();
        signal.removeEventListener("abort", done);
        resolve();
      };
      const stopWaiting = this.#clock.after(ms, done);
      const stopWatching = this.#log.watch(() => {
        if (this.#log.hasNews(afterSeq)) done();
      });
      if (signal.aborted) done();
      else signal.addEventListener("abort", done);
    });
  }
}

/** Bytes of output told at once. */
const PIECE = 64 * 1024;
