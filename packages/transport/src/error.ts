/**
 * What went wrong, in a word a program can test. `spawn`, `connect`: it never opened. `exit`: the process behind the
 * transport ended. `closed`: the far end closed it for a reason that is no orderly end. `unknown-session`: the far end
 * does not know, or no longer knows, the session; a new one may be opened.
 */
export type TransportErrorCode =
  | "spawn"
  | "connect"
  | "exit"
  | "closed"
  | "unknown-session"
  | "read"
  | "write"
  | "timeout"
  | "aborted"
  | "protocol";

/** Why a transport ended. The message says who and what, and what to do where that is known. */
export class TransportError extends Error {
  readonly _tag: "TransportError" = "TransportError";
  override readonly name: string = "TransportError";
  readonly code: TransportErrorCode;

  constructor(code: TransportErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
