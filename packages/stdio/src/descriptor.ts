import { closeSync, fstatSync, openSync } from "node:fs";
import process from "node:process";

/** Files and terminals cannot be opened as pipes. */
export function isPipe(fd: number): boolean {
  const stat = fstatSync(fd);
  return stat.isFIFO() || stat.isSocket();
}

/**
 * Closes standard output. Runtimes keep descriptors 0 to 2 open when their stream is closed, and a pipe ends for its
 * reader only when it is closed for good.
 */
export function closeOutput(): void {
  try {
    closeSync(1);
    // So that the next file to be opened does not become standard output.
    openSync(process.platform === "win32" ? "NUL" : "/dev/null", "w");
  } catch {
    // Closed already.
  }
}
