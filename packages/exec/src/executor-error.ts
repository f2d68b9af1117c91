// What an executor answers when it does not do as asked. Codes and texts are those of the codex exec-server.
import { constants } from "node:os";
import { RpcError } from "@sluice/session";

const INVALID_REQUEST = -32600;
const INVALID_PARAMS = -32602;
export const INTERNAL = -32603;
export const NOT_FOUND = -32004;
export const STILL_ATTACHED = -32010;
const OVERLOADED = -32012;

export function invalidRequest(message: string): RpcError {
  return new RpcError(INVALID_REQUEST, message);
}

export function invalidParams(message: string): RpcError {
  return new RpcError(INVALID_PARAMS, message);
}

/** A bound has been reached. */
export function overLimit(limit: string, max: number, message: string): RpcError {
  return new RpcError(OVERLOADED, `${message}: the limit is ${max} (limits.${limit})`);
}

/** What the system says, as codex spells it: -32004 where something is not there, -32603 for all else. */
export function systemError(error: unknown): RpcError {
  if (error instanceof RpcError) return error;
  const { code } = error as { readonly code?: unknown };
  if (typeof code !== "string" || !Object.hasOwn(constants.errno, code))
    return new RpcError(INTERNAL, error instanceof Error ? error.message : String(error));
  const number = constants.errno[code as keyof typeof constants.errno];
  const text = `${TEXTS[code] ?? code} (os error ${number})`;
  return new RpcError(code === "ENOENT" ? NOT_FOUND : INTERNAL, text);
}

/** As above, and -32603 also where something is not there. */
export function startError(error: unknown): RpcError {
  const said = systemError(error);
  return said.code === NOT_FOUND ? new RpcError(INTERNAL, said.message) : said;
}

/** As the C library of the codex binaries says it; for others the name of the error has to do. */
const TEXTS: Readonly<Record<string, string>> = {
  E2BIG: "Argument list too long",
  EACCES: "Permission denied",
  EBADF: "Bad file descriptor",
  EBUSY: "Resource busy",
  EEXIST: "File exists",
  EFBIG: "File too large",
  EINVAL: "Invalid argument",
  EIO: "I/O error",
  EISDIR: "Is a directory",
  ELOOP: "Symbolic link loop",
  EMFILE: "No file descriptors available",
  ENAMETOOLONG: "Filename too long",
  ENFILE: "Too many open files in system",
  ENODEV: "No such device",
  ENOENT: "No such file or directory",
  ENOEXEC: "Exec format error",
  ENOMEM: "Out of memory",
  ENOSPC: "No space left on device",
  ENOTDIR: "Not a directory",
  ENOTEMPTY: "Directory not empty",
  EPERM: "Operation not permitted",
  EROFS: "Read-only file system",
  ETXTBSY: "Text file busy",
  EXDEV: "Cross-device link",
};
