// A process on pipes, by node:child_process, which all three runtimes have.
import { spawn, type ChildProcess } from "node:child_process";
import type { Readable } from "node:stream";
import type { Child, ChildEvents, ProcessSpec, WriteStatus } from "./process-child.ts";
import { codeOf, guardGroup, releaseGroup, signalGroup } from "./process-group.ts";

/** Starts it; rejects with the system's error where it cannot be. */
export async function startOnPipes(spec: ProcessSpec, events: ChildEvents): Promise<Child> {
  const [program, ...args] = spec.argv as [string, ...string[]];
  const child = spawn(program, args, {
    cwd: spec.cwd,
    env: { ...spec.env },
    ...(spec.arg0 !== undefined && { argv0: spec.arg0 }),
    stdio: [spec.pipeStdin ? "pipe" : "ignore", "pipe", "pipe"],
    detached: process.platform !== "win32",
    windowsHide: true,
  });
  const { pid } = child;
  if (pid === undefined)
    return new Promise((_, reject) => {
      child.on("error", reject);
    });
  return new PipedChild(child, pid, events);
}

class PipedChild implements Child {
  readonly whenPaused = "stops";
  readonly #process: ChildProcess;
  readonly #pid: number;
  /** Those who wait for their bytes to be read. */
  readonly #writes: Set<(status: WriteStatus) => void> = new Set();

  constructor(child: ChildProcess, pid: number, events: ChildEvents) {
    this.#process = child;
    this.#pid = pid;
    guardGroup(pid);
    child.on("error", () => {}); // a signal that could not be sent
    for (const stream of ["stdout", "stderr"] as const)
      (child[stream] as Readable).on("data", (bytes: Uint8Array) => events.output(stream, bytes));
    child.stdin?.on("error", () => {}); // whoever writes is told
    child.on("exit", (code, signal) => {
      child.stdin?.destroy();
      for (const settle of this.#writes) settle("stdinClosed");
      events.exited(code ?? codeOf(signal));
    });
    child.on("close", () => {
      releaseGroup(pid);
      events.closed();
    });
  }

  write(bytes: Uint8Array): Promise<WriteStatus> {
    const { stdin } = this.#process;
    if (stdin === null || !stdin.writable) return Promise.resolve("stdinClosed");
    return new Promise((resolve) => {
      const settle = (status: WriteStatus): void => {
        this.#writes.delete(settle);
        resolve(status);
      };
      this.#writes.add(settle);
      stdin.write(bytes, (error) => settle(error instanceof Error ? "stdinClosed" : "accepted"));
    });
  }

  pause(): void {
    this.#process.stdout?.pause();
    this.#process.stderr?.pause();
  }

  resume(): void {
    this.#process.stdout?.resume();
    this.#process.stderr?.resume();
  }

  signal(signal: "SIGINT" | "SIGKILL"): void {
    signalGroup(this.#pid, signal);
  }

  release(): void {
    this.#process.stdout?.destroy();
    this.#process.stderr?.destroy();
  }
}
