// Between what an application throws or passes as a reason, and the codes of PROTOCOL E.
import { CancelledError, TimeoutError } from "@sluice/core";
import { StreamCode, StreamError } from "@sluice/streams";

/** The code for a reason: the application's own is kept, others say only that it was cancelled or failed (L7). */
export function codeOf(reason: unknown): number {
  if (reason instanceof StreamError && reason.code >= StreamCode.application) return reason.code;
  if (reason === undefined || reason instanceof CancelledError || isAbort(reason))
    return StreamCode.cancelled;
  if (reason instanceof StreamError)
    return reason.code === StreamCode.none || reason.code === StreamCode.cancelled
      ? StreamCode.cancelled
      : StreamCode.internal;
  return reason instanceof TimeoutError ? StreamCode.timeout : StreamCode.internal;
}

/** What the peer is told: an error's own text stays here, unless it was made for the peer. */
export function textOf(reason: unknown): string {
  if (reason instanceof StreamError) return reason.message;
  return codeOf(reason) === StreamCode.cancelled ? "cancelled" : "failed";
}

function isAbort(reason: unknown): boolean {
  return reason instanceof Error && reason.name === "AbortError";
}
