// A child is a small machine: it runs; `close` lets it end by itself, then asks, then kills; `abort` asks and kills;
// it is over when the process is gone and its output delivered. Signals go to its process group, so that what it
// started ends with it.
import { spawn as start, type ChildProcess } from "node:child_process";
import type { Readable, Writable } from "node:stream";
// Not the globals: on Deno those give numbers, which cannot be told to let the process end.
import { clearTimeout, setTimeout } from "node:timers";
import { TransportError, type Chunk, type TransportEvents } from "@sluice/transport";
import { ChildExitError } from "./child-exit-error.ts";
import type { ChildTransport, ExitStatus, SpawnOptions } from "./child.ts";
import { Ladder } from "./ladder.ts";
import { guard, release, signalGroup } from "./orphans.ts";
import { Pipes } from "./pipes.ts";
import { startError } from "./start-error.ts";
import { StderrTail } from "./stderr-tail.ts";

/**
 * Starts a program, without a shell, and speaks with it through its standard input and output.
 *
 * Returns at once; a program that cannot be started closes the transport with code `spawn`. `close` ends its input,
 * then, after `grace.stdin`, sends SIGTERM and, after `grace.term`, SIGKILL. `onClose` comes when the process is gone
 * and its output delivered (so not while paused), without an error if it exited with 0 after `close`, otherwise with
 * a `ChildExitError`. If our process ends first, the child is killed.
 */
export function spawn(
  command: string,
  args: readonly string[] = [],
  options: SpawnOptions = {},
): ChildTransport {
  return new Child(command, args, options);
}

class Child implements ChildTransport {
  readonly unit = "bytes";
  readonly quotes = true;
  readonly label: string;
  readonly pid: number | undefined;
  readonly exited: Promise<ExitStatus>;
  readonly #grace: { readonly stdin: number; readonly term: number };
  readonly #tail: StderrTail;
  readonly #ladder: Ladder;
  readonly #process: ChildProcess | undefined;
  readonly #pipes: Pipes | undefined;
  readonly #letGo: (() => void)[] = [];
  #streams: "open" | "closed" = "open";
  #life: "running" | "closing" | "aborting" | "over" = "running";
  #events: TransportEvents | undefined;
  /** Why it ends, where that is known before the process is gone. */
  #failure: TransportError | undefined;
  #exit: ExitStatus | undefined;
  #endTimer: NodeJS.Timeout | undefined;
  /** Tells the user of the end of the output, where that was put off. */
  #tellEnd: () => void = () => {};
  #resolveExited: (status: ExitStatus) => void = () => {};

  constructor(command: string, args: readonly string[], options: SpawnOptions) {
    this.#grace = { stdin: options.grace?.stdin ?? 2000, term: options.grace?.term ?? 2000 };
    this.#tail = new StderrTail(options.onStderrLine);
    this.exited = new Promise((resolve) => (this.#resolveExited = resolve));
    const line = [command, ...args].join(" ");
    const child = this.#start(command, args, options);
    this.pid = child?.pid;
    this.label = this.pid === undefined ? `child (${line})` : `child ${this.pid} (${line})`;
    this.#process = child;
    this.#ladder = new Ladder(this.pid);
    if (child === undefined) return;

    const [input, output] = [child.stdout as Readable, child.stdin as Writable];
    this.#pipes = new Pipes(input, output, this.label, {
      onInputEnd: (tell) => this.#inputEnded(tell),
      onOutputEnd: () => {},
      onFailure: (error) => this.#broke(error),
    });
    child.stderr?.on("data", (chunk: Uint8Array<ArrayBuffer>) => this.#tail.push(chunk));
    child.on("error", (cause) => {
      // Also comes where a signal could not be sent; then there is a process.
      if (this.pid === undefined) this.#neverStarted(startError(command, options.cwd, cause));
    });
    child.on("exit", (code, signal) => this.#gone({ code, signal }));
    child.on("close", () => {
      this.#tail.end();
      void this.#tail.done.then(() => {
        this.#streams = "closed";
        this.#done();
      });
    });
    if (this.pid !== undefined) guard(this.pid);
    this.#listen(options.signal);
  }

  start(events: TransportEvents): void {
    this.#events = events;
    if (this.#life === "over") queueMicrotask(() => events.onClose(this.#failure));
    else if (this.#life !== "aborting") this.#pipes?.start(events);
  }

  write(chunks: readonly Chunk[]): boolean {
    return this.#pipes?.write(chunks) ?? false;
  }

  pause(): void {
    this.#pipes?.pause();
  }

  resume(): void {
    this.#pipes?.resume();
  }

  close(): void {
    if (this.#life !== "running") return;
    this.#life = "closing";
    this.#pipes?.end();
    this.#ladder.climb(this.#grace.stdin, this.#grace.term);
  }

  abort(error?: TransportError): void {
    if (this.#life === "aborting" || this.#life === "over") return;
    this.#life = "aborting";
    this.#failure = error;
    this.#pipes?.destroy();
    if (this.#exit === undefined) this.#ladder.climb(0, Math.min(this.#grace.term, 200));
    else this.#finish();
  }

  stderr(): string {
    return this.#tail.text();
  }

  #start(command: string, args: readonly string[], options: SpawnOptions): ChildProcess | undefined {
    if (options.signal?.aborted === true) {
      this.#neverStarted(aborted(options.signal));
      return undefined;
    }
    try {
      return start(command, args, {
        ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
        ...(options.env === undefined ? {} : { env: { ...process.env, ...options.env } }),
        stdio: ["pipe", "pipe", options.stderr === "inherit" ? "inherit" : "pipe"],
        detached: process.platform !== "win32",
        windowsHide: true,
      });
    } catch (cause) {
      this.#neverStarted(startError(command, options.cwd, cause));
      return undefined;
    }
  }

  #listen(signal: AbortSignal | undefined): void {
    if (signal === undefined) return;
    const onAbort = (): void => this.abort(aborted(signal));
    signal.addEventListener("abort", onAbort);
    this.#letGo.push(() => signal.removeEventListener("abort", onAbort));
  }

  #neverStarted(error: TransportError): void {
    this.#failure = error;
    this.#resolveExited({ code: null, signal: null });
    this.#finish();
  }

  // Most often the process is ending, and how it ended says more than the end of its output: give it time for that.
  #inputEnded(tell: () => void): void {
    const expected = this.#life !== "running" && this.#failure === undefined;
    if (expected) tell();
    else {
      this.#tellEnd = () => {
        this.#tellEnd = () => {};
        tell();
      };
      if (this.#exit === undefined) this.#endTimer = setTimeout(() => this.#tellEnd(), EXIT_FOLLOWS);
    }
    this.#done();
  }

  #broke(error: TransportError): void {
    if (error.code !== "write") return this.abort(error);
    // Most often the process is ending, and how it ended says more than a broken pipe: give it time for that.
    if (this.#life !== "running") return;
    this.#life = "closing";
    this.#failure = error;
    this.#ladder.climb(this.#grace.stdin, this.#grace.term);
  }

  #gone(exit: ExitStatus): void {
    const pid = this.pid as number;
    this.#exit = exit;
    this.#resolveExited(exit);
    this.#ladder.stop();
    clearTimeout(this.#endTimer);
    // What the process left behind ends, too.
    if (!signalGroup(pid, "SIGTERM")) release(pid);
    if (this.#life === "aborting") this.#finish();
    this.#sweep(pid);
  }

  /** Descendants may outlive SIGTERM, or have left the group and hold our pipes open, which would then never end. */
  #sweep(pid: number): void {
    const timer = setTimeout(() => {
      signalGroup(pid, "SIGKILL");
      release(pid);
      if (this.#life === "over") return;
      if (this.#pipes?.holding === true) return this.#sweep(pid);
      this.#process?.stdout?.destroy();
      this.#process?.stderr?.destroy();
    }, this.#grace.term);
    timer.unref();
  }

  /** The process and its streams have closed; what it wrote may still be held for a user who has paused. */
  #done(): void {
    if (this.#streams === "closed" && this.#pipes?.delivered === true) this.#finish();
  }

  #finish(): void {
    if (this.#life === "over") return;
    if (this.#life !== "aborting" && this.#exit !== undefined) this.#failure = this.#verdict(this.#exit);
    this.#life = "over";
    clearTimeout(this.#endTimer);
    if (this.#failure === undefined) this.#tellEnd();
    for (const letGo of this.#letGo) letGo();
    this.#pipes?.silence();
    this.#events?.onClose(this.#failure);
  }

  #verdict(exit: ExitStatus): TransportError | undefined {
    if (this.#failure !== undefined && this.#ladder.signalled !== undefined) return this.#failure;
    if (this.#life === "closing" && exit.code === 0 && this.#failure === undefined) return undefined;
    const hint =
      this.#ladder.signalled === undefined
        ? this.#life === "closing" && this.#failure === undefined
          ? " after its input was closed"
          : " in the middle of the conversation"
        : ` because it went on after its input was closed (grace ${this.#grace.stdin} ms)`;
    return new ChildExitError(this.label, exit, this.stderr(), hint, { cause: this.#failure });
  }
}

/** ms within which an exit is expected after the output has ended. */
const EXIT_FOLLOWS = 250;

function aborted(signal: AbortSignal): TransportError {
  return new TransportError("aborted", "the signal given to spawn was aborted", { cause: signal.reason });
}
