import type { OutputStream } from "./process-log.ts";

/** What to start. */
export interface ProcessSpec {
  /** At least the program. */
  readonly argv: readonly string[];
  readonly cwd: string;
  /** All of its environment. */
  readonly env: Readonly<Record<string, string>>;
  /** What the program is told its name is. */
  readonly arg0: string | undefined;
  /** Whether its standard input is a pipe; it is empty otherwise. */
  readonly pipeStdin: boolean;
}

/** What a child tells. `closed` comes last and once, after `exited`. */
export interface ChildEvents {
  output(stream: OutputStream, bytes: Uint8Array): void;
  /** 128 + the signal where one ended it. */
  exited(code: number): void;
  /** Its output has ended, too. */
  closed(): void;
}

export type WriteStatus = "accepted" | "stdinClosed";

/** A process that runs, on pipes or on a terminal. */
export interface Child {
  /** `held`: output goes on coming after `pause`, and whoever pauses has to hold it. */
  readonly whenPaused: "stops" | "held";
  /** Settles once the bytes are with the system: where the process does not read, not before it ends. */
  write(bytes: Uint8Array): Promise<WriteStatus>;
  pause(): void;
  resume(): void;
  /** To the process and all of its group. */
  signal(signal: "SIGINT" | "SIGKILL"): void;
  /** Closes its output, which what has left its group may hold open for ever. */
  release(): void;
}
