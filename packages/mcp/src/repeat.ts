// What may be sent again when it failed: what changes nothing at the server, or has to be done once more anyhow. A tool
// never: it may have run.
import { HttpError, type HttpErrorKind } from "@sluice/exec";
import type { Clock } from "./clock.ts";
import { McpError } from "./mcp-error.ts";
import type { JsonRpcMessage } from "./message.ts";

const METHODS: readonly (string | undefined)[] = [
  "initialize",
  "server/discover",
  "notifications/initialized",
  "tools/list",
];
const STATUSES: readonly number[] = [408, 429, 500, 502, 503, 504];
const KINDS: readonly HttpErrorKind[] = ["upstream", "timeout", "disconnected"];

export function isRepeatable({ method }: JsonRpcMessage): boolean {
  return METHODS.includes(method);
}

export function isTransientStatus(status: number | undefined): boolean {
  return status !== undefined && STATUSES.includes(status);
}

/** Whether another try may do better: the server was busy, or the way to it or back was cut. */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof McpError)) return false;
  switch (error.kind) {
    case "status":
      return isTransientStatus(error.status);
    case "failed":
      return error.cause instanceof HttpError && KINDS.includes(error.cause.kind);
    default:
      return error.kind === "lost";
  }
}

/** Tries once, and once more after each wait, while what it fails with is transient. Gives up with the signal. */
export async function repeated<T>(
  once: () => Promise<T>,
  waits: readonly number[],
  clock: Clock,
  signal: AbortSignal,
): Promise<T> {
  for (const wait of waits) {
    try {
      return await once();
    } catch (error) {
      if (!isTransient(error) || signal.aborted) throw error;
    }
    await clock.pause(wait, signal);
    signal.throwIfAborted();
  }
  return once();
}
