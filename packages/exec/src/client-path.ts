import { ExecError } from "./client-error.ts";

/** Where a file is: a `file:` URL, as a URL or a text, or an absolute path (`/a/b`, `C:\a\b`, `\\host\share\a`). */
export type FilePath = string | URL;

/** The path as the wire has it. @throws ExecError of kind `invalid` where it is neither absolute nor a `file:` URL. */
export function fileUri(path: FilePath): string {
  if (path instanceof URL) return path.protocol === "file:" ? path.href : invalid();
  if (/^file:\/\//i.test(path)) return URL.canParse(path) ? path : invalid();
  if (path.includes("\0")) return invalid();
  const drive = /^[a-z]:[\\/]/i.test(path);
  if (drive) return `file:///${path.slice(0, 2)}${encoded(path.slice(2).replaceAll("\\", "/"))}`;
  if (path.startsWith("\\\\")) return `file:${encoded(path.replaceAll("\\", "/"))}`;
  return path.startsWith("/") ? `file://${encoded(path)}` : invalid();
}

function encoded(path: string): string {
  // As they are, a lone surrogate would throw; what a path cannot hold, the executor refuses.
  return path.toWellFormed().split("/").map(encodeURIComponent).join("/");
}

function invalid(): never {
  throw new ExecError(
    "invalid",
    "a path must be absolute, or a file: URL: the executor has its own current folder",
  );
}
