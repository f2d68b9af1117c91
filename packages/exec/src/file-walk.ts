// All that is below a directory, one level after the other and by name. A directory is read once, however many links lead
// to it. Links to files, and what is neither a file nor a directory, are not told.
import { readdir, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Dirent } from "node:fs";
import { systemError } from "./executor-error.ts";
import { uriOf } from "./file-uri.ts";

export interface WalkOptions {
  /** 0: what is in the directory itself. */
  readonly maxDepth: number;
  /** Directories that are read. */
  readonly maxDirectories: number;
  readonly maxEntries: number;
  readonly followDirectorySymlinks: boolean;
  /** Directories whose name begins with a dot are told and not read. */
  readonly pruneHiddenDirectories?: boolean | undefined;
}

interface WalkEntry {
  readonly path: string;
  readonly kind: "directory" | "file";
}

/** `truncated`: there is more than a maximum allowed. */
export interface Walked {
  readonly entries: readonly WalkEntry[];
  readonly errors: readonly { readonly path: string; readonly message: string }[];
  readonly truncated: boolean;
}

/** `maxSize` bounds the characters of what is found. @throws the system's error where `root` is not there. */
export async function walk(
  root: string,
  options: WalkOptions,
  maxSize: number,
  signal: () => AbortSignal,
): Promise<Walked> {
  const entries: WalkEntry[] = [];
  const errors: { path: string; message: string }[] = [];
  const walked = (end: "complete" | "truncated"): Walked => ({
    entries,
    errors,
    truncated: end === "truncated",
  });
  if (!(await stat(root)).isDirectory()) return walked("complete");
  const seen = new Set([await realpath(root)]);
  const waiting: { path: string; depth: number }[] = [{ path: root, depth: 0 }];
  let [read, size] = [0, 0];
  for (let at = 0; at < waiting.length; at++) {
    const { path, depth } = waiting[at]!;
    if (read++ >= options.maxDirectories) return walked("truncated");
    signal().throwIfAborted();
    let inside: Dirent[];
    try {
      inside = await readdir(path, { withFileTypes: true });
    } catch (error) {
      errors.push({ path: uriOf(path), message: systemError(error).message });
      continue;
    }
    inside.sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of inside) {
      const child = join(path, entry.name);
      const kind = await kindOf(entry, child, options.followDirectorySymlinks);
      if (kind === undefined) continue;
      const uri = uriOf(child);
      size += uri.length;
      if (entries.length >= options.maxEntries || size > maxSize) return walked("truncated");
      entries.push({ path: uri, kind });
      if (kind === "file" || depth >= options.maxDepth) continue;
      if (options.pruneHiddenDirectories === true && entry.name.startsWith(".")) continue;
      const real = await realpath(child).catch(() => child); // gone in the meantime: reading it will say so
      if (seen.has(real)) continue;
      seen.add(real);
      waiting.push({ path: child, depth: depth + 1 });
    }
  }
  return walked("complete");
}

async function kindOf(
  entry: Dirent,
  path: string,
  followLinks: boolean,
): Promise<"directory" | "file" | undefined> {
  if (entry.isDirectory()) return "directory";
  if (entry.isFile()) return "file";
  if (!entry.isSymbolicLink() || !followLinks) return undefined;
  const target = await stat(path).catch(() => undefined);
  return target?.isDirectory() === true ? "directory" : undefined;
}
