// What a server of ours says when it ends a session, so that a client can tell an end from a loss: an event of type
// `end` after everything else, or of type `abort`. MCP clients pass over events whose type they do not know.
import type { CloseCause } from "@sluice/transport";

const CAUSES: readonly CloseCause[] = ["done", "protocol", "limit", "timeout", "failed"];

export function encodeLastWord(cause: CloseCause, reason: string): string {
  return JSON.stringify({ cause, reason: reason.slice(0, 256) });
}

/** Why the server closed; `failed` where it does not say. */
export function decodeLastWord(data: string): CloseCause {
  try {
    const { cause } = JSON.parse(data) as { readonly cause?: unknown };
    return CAUSES.find((one) => one === cause) ?? "failed";
  } catch {
    return "failed";
  }
}
