import type { Transport } from "@sluice/transport";

/** How a process ended: with a code, or by a signal. Both are null where it was never started. */
export interface ExitStatus {
  readonly code: number | null;
  readonly signal: string | null;
}

/** A transport that owns a process: bytes go to its standard input and come from its standard output. */
export interface ChildTransport extends Transport {
  /** Undefined where the process could not be started. */
  readonly pid: number | undefined;
  /** Resolves when the process is gone (its output may still be on the way), and never rejects. */
  readonly exited: Promise<ExitStatus>;
  /** The last 4 KiB the process has printed to its standard error; empty with `stderr: "inherit"`. */
  stderr(): string;
}

/** How to start a process and how to end it. */
export interface SpawnOptions {
  /** Working directory. Default: ours. */
  readonly cwd?: string;
  /** Added to our environment; `undefined` takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Aborts the transport, with code `aborted` and the signal's reason as cause. */
  readonly signal?: AbortSignal;
  /** `tail` (default) reads all and keeps the last 4 KiB for errors; `inherit` passes it to our own. */
  readonly stderr?: "tail" | "inherit";
  /** Hears every line of standard error, without its line break. Not with `stderr: "inherit"`. */
  readonly onStderrLine?: (line: string) => void;
  /** How long the process may take to end by itself, in ms. */
  readonly grace?: {
    /** From `close` until SIGTERM. Default 2000. */
    readonly stdin?: number;
    /** From SIGTERM until SIGKILL. Default 2000; after an `abort` at most 200. */
    readonly term?: number;
  };
}
