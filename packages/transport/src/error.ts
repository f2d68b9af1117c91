/** What went wrong, in a word a program can test. `exit`: the process behind the transport ended. */
export type TransportErrorCode = "spawn" | "exit" | "read" | "write" | "timeout" | "aborted" | "protocol";

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
