import { TransportError } from "@sluice/transport";
import { existsSync } from "node:fs";

/** Says why a program could not be started and what to do about it. */
export function startError(command: string, cwd: string | undefined, cause: unknown): TransportError {
  const code = (cause as { code?: unknown } | null)?.code;
  const message = cause instanceof Error ? cause.message : String(cause);
  return new TransportError(
    "spawn",
    `cannot start ${JSON.stringify(command)}: ${advice(code, cwd) ?? message}`,
    { cause },
  );
}

function advice(code: unknown, cwd: string | undefined): string | undefined {
  switch (code) {
    // Node says ENOENT for a missing directory, too.
    case "ENOENT":
      return cwd !== undefined && !existsSync(cwd)
        ? `its working directory ${JSON.stringify(cwd)} does not exist`
        : "no such program; install it, put its folder on PATH, or give its full path";
    case "EACCES":
      return "not allowed to run it; make the file executable (chmod +x) or run it through its interpreter";
    case "E2BIG":
      return "its arguments and environment are too large; pass data through its input instead";
    case "EMFILE":
    case "EAGAIN":
      return `too many files or processes are open (${code}); close some or raise the limit (ulimit)`;
    default:
      return undefined;
  }
}
