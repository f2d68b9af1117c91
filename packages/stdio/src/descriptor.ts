import { closeSync, fstatSync, openSync } from "node:fs";

/** Files and terminals cannot be opened as pipes. */
export function isPipe(fd: number): boolean {
  const stat = fstatSync(fd);
  return stat.isFIFO() || stat.isSocket();
}

/**
 * Closes standard output, whose stream has closed. Runtimes keep descriptors 0 to 2 open when their stream is closed,
 * and a pipe ends for its reader only when it is closed for good.
 */
export function closeOutput(): void {
  closeSync(1);
  leadNowhere([1]);
}

/**
 * Opens these closed descriptors to nowhere, so that no file opened later gets their numbers, and with them what
 * somebody still prints. Descriptors are given out from the lowest: what is opened beside them is closed again.
 */
export function leadNowhere(numbers: readonly number[]): void {
  const last = Math.max(...numbers);
  const opened: number[] = [];
  while ((opened.at(-1) ?? 0) < last)
    opened.push(openSync(process.platform === "win32" ? "NUL" : "/dev/null", "w"));
  for (const fd of opened) if (!numbers.includes(fd)) closeSync(fd);
}
