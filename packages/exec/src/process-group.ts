// Every process leads a group of its own, and is signalled with all of it. No group outlives this program: what is left
// is killed when it exits.
import { constants } from "node:os";

const living: Set<number> = new Set();

/** Kills the group of this process should we end before it is released. */
export function guardGroup(pid: number): void {
  if (living.size === 0) process.on("exit", killAll);
  living.add(pid);
}

/** Nothing of it is left that we know of. */
export function releaseGroup(pid: number): void {
  if (living.delete(pid) && living.size === 0) process.off("exit", killAll);
}

/** False where nobody is left to hear it. */
export function signalGroup(pid: number, signal: "SIGINT" | "SIGKILL"): boolean {
  try {
    // Windows has no groups; there every signal ends the process at once.
    process.kill(process.platform === "win32" ? pid : -pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** The exit code of a process that a signal ended, as a shell tells it. */
export function codeOf(signal: string | null): number {
  const number =
    signal === null ? undefined : (constants.signals as Record<string, number | undefined>)[signal];
  return 128 + (number ?? 0);
}

function killAll(): void {
  for (const pid of living) signalGroup(pid, "SIGKILL");
}
