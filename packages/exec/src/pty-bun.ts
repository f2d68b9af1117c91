import type { Child, ChildEvents, ProcessSpec } from "./process-child.ts";
import { codeOf, guardGroup, releaseGroup, signalGroup } from "./process-group.ts";
import { TERMINAL_SIZE } from "./pty-size.ts";

interface Terminal {
  write(bytes: Uint8Array): number;
  close(): void;
}

/** What is used here of Bun. */
interface Bun {
  spawn(
    argv: readonly string[],
    options: {
      readonly cwd: string;
      readonly env: Readonly<Record<string, string>>;
      readonly terminal: {
        readonly cols: number;
        readonly rows: number;
        data(terminal: Terminal, bytes: Uint8Array): void;
        exit(): void;
      };
      onExit(process: unknown, code: number | null, signal: string | null): void;
    },
  ): { readonly pid: number; readonly terminal: Terminal };
}

export function startOnBunTerminal(spec: ProcessSpec, events: ChildEvents): Child {
  // The two ends come in any order.
  const open = new Set<"process" | "terminal">(["process", "terminal"]);
  const ended = (which: "process" | "terminal"): void => {
    if (!open.delete(which) || open.size > 0) return;
    releaseGroup(child.pid);
    events.closed();
  };
  const { spawn } = (globalThis as unknown as { readonly Bun: Bun }).Bun;
  const child = spawn(spec.argv, {
    cwd: spec.cwd,
    env: spec.env,
    terminal: {
      ...TERMINAL_SIZE,
      data: (_, bytes) => events.output("pty", bytes.slice()), // the memory is Bun's own
      exit: () => ended("terminal"),
    },
    onExit(_, code, signal) {
      events.exited(code ?? codeOf(signal));
      ended("process");
    },
  });
  guardGroup(child.pid);
  return {
    whenPaused: "held", // Bun reads a terminal whether one listens or not
    pause() {},
    resume() {},
    async write(bytes) {
      if (!open.has("process")) return "stdinClosed";
      child.terminal.write(bytes);
      return "accepted";
    },
    signal: (signal) => void signalGroup(child.pid, signal),
    release: () => child.terminal.close(),
  };
}
