import { constants } from "node:fs";
import { open, stat } from "node:fs/promises";
import { invalidRequest } from "./executor-error.ts";

/** All of a file. @throws RpcError where it is none or larger than `max` bytes, the system's error for all else. */
export async function readWhole(path: string, links: "follow" | "refuse", max: number): Promise<Uint8Array> {
  // Before it is opened: opening a pipe waits until somebody opens its other end.
  if (links === "follow") fileOnly(path, await stat(path));
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | (links === "refuse" ? constants.O_NOFOLLOW : 0);
  await using file = await open(path, flags);
  const { size } = fileOnly(path, await file.stat());
  if (size > max) throw tooLarge(max);
  // Some, such as those in /proc, do not tell their size, and any may grow.
  const chunks: Buffer[] = [];
  let length = 0;
  for (;;) {
    const chunk = Buffer.allocUnsafe(Math.max(size - length, 64 * 1024));
    const { bytesRead } = await file.read(chunk, 0, chunk.length, length);
    if (bytesRead === 0) break;
    chunks.push(chunk.subarray(0, bytesRead));
    length += bytesRead;
    if (length > max) throw tooLarge(max);
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, length);
}

function fileOnly<T extends { isFile(): boolean }>(path: string, stats: T): T {
  if (!stats.isFile()) throw invalidRequest(`path \`${path}\` is not a file`);
  return stats;
}

function tooLarge(max: number): Error {
  return invalidRequest(`the file is larger than ${max} bytes (limits.file): use fs/open and fs/readBlock`);
}
