import type { Dispatch, Outcome } from "@sluice/session/builder";

/** A message that crosses a conductor, from one of its parts to another. */
export interface TraceEvent {
  /** ms since 1970. */
  readonly at: number;
  readonly conductor: string;
  /** `client`, `proxy 0`…, `agent`, `successor`. */
  readonly from: string;
  readonly to: string;
  readonly kind: "request" | "notification" | "result" | "error";
  /** That of the request, for its answer. */
  readonly method: string;
  /** Of a request or notification. */
  readonly params?: unknown;
  /** Of an answer. */
  readonly result?: unknown;
  readonly error?: { readonly code?: number; readonly message: string };
}

/** Is told of each message as it crosses. Must not throw. */
export type Trace = (event: TraceEvent) => void;

/** The event of a request or notification. */
export function sent(
  dispatch: Exclude<Dispatch, { kind: "response" }>,
): Pick<TraceEvent, "kind" | "method" | "params"> {
  const { kind, method, params } = dispatch;
  return { kind, method, params };
}

/** The event of an answer. */
export function answered(
  method: string,
  outcome: Outcome,
): Pick<TraceEvent, "kind" | "method" | "result" | "error"> {
  if (outcome.ok) return { kind: "result", method, result: outcome.value };
  const { code, message } = outcome.error as Error & { readonly code?: number };
  return { kind: "error", method, error: { ...(typeof code === "number" && { code }), message } };
}
