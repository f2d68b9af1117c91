import { CancelledError, RefusedError, SessionError, TimeoutError } from "@sluice/core";

/** What came of a request. */
export type Outcome<R = unknown> =
  | { readonly ok: true; readonly value: R }
  | { readonly ok: false; readonly error: Error };

/** Whether it was decided here: the peer said nothing. */
export function isLocal(outcome: Outcome): boolean {
  return !outcome.ok && LOCAL.some((kind) => outcome.error instanceof kind);
}

const LOCAL = [CancelledError, RefusedError, SessionError, TimeoutError] as const;

/** Whether a session ended as it should: closed by either side, or drained. */
export function isOrderly({ code }: SessionError): boolean {
  return code === "closed" || code === "drained";
}
