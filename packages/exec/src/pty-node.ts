import { RpcError } from "@sluice/session";
import { INTERNAL } from "./executor-error.ts";
import type { Child, ChildEvents, ProcessSpec } from "./process-child.ts";
import { guardGroup, releaseGroup, signalGroup } from "./process-group.ts";
import { TERMINAL_SIZE } from "./pty-size.ts";

/** What is used here of `@lydell/node-pty`, where `encoding: null` makes its data bytes. */
interface NodePty {
  spawn(program: string, args: readonly string[], options: object): Pty;
}
interface Pty {
  readonly pid: number;
  onData(listener: (bytes: Uint8Array) => void): unknown;
  onExit(listener: (exit: { readonly exitCode: number; readonly signal?: number }) => void): unknown;
  write(bytes: Uint8Array): void;
  pause(): void;
  resume(): void;
}

/** @throws RpcError that says what to install, where it is missing. */
export async function startOnNodePty({ argv, cwd, env }: ProcessSpec, events: ChildEvents): Promise<Child> {
  const { spawn } = await load();
  const [program = "", ...args] = argv;
  const name = env["TERM"] ?? "xterm-256color"; // it insists on setting TERM
  const pty = spawn(program, args, { ...TERMINAL_SIZE, name, cwd, env: { ...env }, encoding: null });
  const { pid } = pty;
  let life: "running" | "exited" = "running";
  guardGroup(pid);
  pty.onData((bytes) => events.output("pty", bytes));
  // Comes when all output has come.
  pty.onExit(({ exitCode, signal = 0 }) => {
    life = "exited";
    releaseGroup(pid);
    events.exited(signal === 0 ? exitCode : 128 + signal);
    events.closed();
  });
  return {
    whenPaused: "stops",
    pause: () => pty.pause(),
    resume: () => pty.resume(),
    async write(bytes) {
      if (life === "exited") return "stdinClosed";
      pty.write(bytes);
      return "accepted";
    },
    signal: (signal) => void signalGroup(pid, signal),
    release() {}, // its terminal is gone when the process is
  };
}

/** When a terminal is first asked for. One that is missing may be installed later. */
async function load(): Promise<NodePty> {
  try {
    const module: object = await import("@lydell/node-pty");
    return ("default" in module ? module.default : module) as NodePty;
  } catch (cause) {
    const what = "no terminals here: install @lydell/node-pty beside @sluice/exec, or ask for no tty";
    throw Object.assign(new RpcError(INTERNAL, what), { cause });
  }
}
