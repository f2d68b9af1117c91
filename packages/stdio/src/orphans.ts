// No child outlives us. Children lead their own process groups, so a Ctrl-C in a terminal does not reach them, and a
// signal that ends us skips the exit hook: both are handled here. After a SIGKILL nothing of ours runs; then a child
// sees the end of its input. A signal that somebody else listens to as well is left to them: they may mean to go on,
// and if they do exit, the exit hook runs.

const living: Set<number> = new Set();
const signals = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

/** Kills the process with this id, and all of its group, should we end before it. */
export function guard(pid: number): void {
  if (living.size === 0) {
    process.on("exit", killAll);
    for (const signal of signals) process.on(signal, onSignal);
  }
  living.add(pid);
}

/** It is gone. */
export function release(pid: number): void {
  if (!living.delete(pid) || living.size > 0) return;
  process.off("exit", killAll);
  for (const signal of signals) process.off(signal, onSignal);
}

/** Signals a process and its whole group. False where nobody is left to hear it. */
export function signalGroup(pid: number, signal: "SIGTERM" | "SIGKILL"): boolean {
  try {
    // Windows has no groups; there every signal ends the process at once.
    process.kill(process.platform === "win32" ? pid : -pid, signal);
    return true;
  } catch {
    return false;
  }
}

function killAll(): void {
  for (const pid of living) signalGroup(pid, "SIGKILL");
}

function onSignal(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) > 1) return;
  killAll();
  process.off(signal, onSignal);
  process.kill(process.pid, signal);
}
