import { copyFile, lstat, mkdir, opendir, readlink, realpath, symlink } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, sep } from "node:path";
import type { Stats } from "node:fs";
import { invalidRequest } from "./executor-error.ts";

/**
 * Copies a file, a link as a link, or a directory with all that is in it (what is neither of the three is left out
 * there). What is cut short by the signal stays as far as it got.
 */
export async function copy(
  from: string,
  to: string,
  directories: "copied" | "refused",
  signal: () => AbortSignal,
): Promise<void> {
  const source = await lstat(from);
  if (!source.isDirectory()) {
    if (!(await copyOne(from, to, source)))
      throw invalidRequest("fs/copy only supports regular files, directories, and symlinks");
    return;
  }
  if (directories === "refused")
    throw invalidRequest("fs/copy requires recursive: true when sourcePath is a directory");
  const [inside, target] = [await realpath(from), await realTarget(to)];
  const way = relative(inside, target);
  if (way === "" || (way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way)))
    throw invalidRequest("fs/copy cannot copy a directory to itself or one of its descendants");
  await copyDirectory(from, to, signal());
}

/** Whether it was something that is copied. */
async function copyOne(from: string, to: string, source: Stats): Promise<boolean> {
  if (source.isFile()) await copyFile(from, to);
  else if (source.isSymbolicLink()) await symlink(await readlink(from), to);
  else return false;
  return true;
}

async function copyDirectory(from: string, to: string, signal: AbortSignal): Promise<void> {
  // Without recursion: a path is bounded, a stack is not for us to know.
  const open: [from: string, to: string][] = [[from, to]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    await mkdir(next[1], { recursive: true });
    for await (const { name } of await opendir(next[0])) {
      signal.throwIfAborted();
      const [source, target] = [join(next[0], name), join(next[1], name)];
      const stats = await lstat(source);
      if (stats.isDirectory()) open.push([source, target]);
      else await copyOne(source, target, stats);
    }
  }
}

/** Where a path that need not be there yet would really be. */
async function realTarget(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    const parent = dirname(path);
    if (parent === path) throw error;
    return join(await realTarget(parent), basename(path));
  }
}
