// One set of errors for both doors. Each says what broke, who broke it and whether a call may have run.
import { ErrorCode, type DecodeError, type ErrorObject } from "@sluice/codec";

export type SessionErrorCode =
  /** One side closed it, in order. */
  | "closed"
  /** It ended after a drain (C6). */
  | "drained"
  /** The transport failed, or ended without a word. */
  | "lost"
  /** A rule of the protocol was broken. */
  | "protocol"
  /** A limit was passed. */
  | "limit"
  /** The greeting failed (H). */
  | "greeting"
  /** Something did not happen in time. */
  | "timeout";

/** Why a session is over: every call and stream that was open fails with it. */
export class SessionError extends Error {
  readonly _tag: "SessionError" = "SessionError";
  override readonly name: string = "SessionError";
  readonly code: SessionErrorCode;
  /** Who ended it: for `protocol` and `limit`, who broke the rule. */
  readonly by: "us" | "peer" | "transport";
  /** The rule's id in PROTOCOL.md, or the name of the limit. */
  readonly rule: string | undefined;
  /** Whether a call that fails with this may have run at the peer. */
  readonly mayHaveRun: boolean = true;

  constructor(
    code: SessionErrorCode,
    by: "us" | "peer" | "transport",
    message: string,
    options: { readonly rule?: string; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.by = by;
    this.rule = options.rule;
  }
}

/**
 * An error as an answer. Thrown by a handler it becomes the answer; a caller gets it as the peer sent it.
 * Anything else a handler throws is answered -32603 without its text.
 */
export class RpcError extends Error {
  readonly _tag: "RpcError" = "RpcError";
  override readonly name: string = "RpcError";
  readonly code: number;
  readonly data: unknown;
  /** False where the code says that the call was turned away unrun (-32011, -32012, -32013, -32601). */
  readonly mayHaveRun: boolean;

  constructor(code: number, message: string, data?: unknown) {
    super(message);
    this.code = code;
    this.data = data;
    this.mayHaveRun = !UNRUN.has(code);
  }

  /** What goes on the wire. */
  toObject(): ErrorObject {
    const { code, message, data } = this;
    return data === undefined ? { code, message } : { code, message, data };
  }
}

const UNRUN: ReadonlySet<number> = new Set([
  ErrorCode.draining,
  ErrorCode.overloaded,
  ErrorCode.limit,
  ErrorCode.methodNotFound,
]);

/** The caller gave the call up. The peer has been told; it may have run. */
export class CancelledError extends Error {
  readonly _tag: "CancelledError" = "CancelledError";
  override readonly name: string = "CancelledError";
  readonly mayHaveRun: boolean = true;

  constructor(message: string = "the call was cancelled", options?: { readonly cause?: unknown }) {
    super(message, options);
  }
}

/** No answer in the time the caller gave. The peer has been told; the call may have run. */
export class TimeoutError extends Error {
  readonly _tag: "TimeoutError" = "TimeoutError";
  override readonly name: string = "TimeoutError";
  readonly mayHaveRun: boolean = true;
  readonly ms: number;

  constructor(method: string, ms: number) {
    super(`no answer to ${method} within ${ms} ms`);
    this.ms = ms;
  }
}

/** Refused on this side before anything was sent: it has certainly not run. `rule` says which limit or rule. */
export class RefusedError extends Error {
  readonly _tag: "RefusedError" = "RefusedError";
  override readonly name: string = "RefusedError";
  readonly rule: string;
  readonly mayHaveRun: boolean = false;

  constructor(rule: string, message: string, options?: { readonly cause?: unknown }) {
    super(`${message} (${rule})`, options);
    this.rule = rule;
  }
}

/** Whatever stopped a value from being written, as an error that says so. */
export function asRefused(cause: unknown): RefusedError {
  if (cause instanceof RefusedError) return cause;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new RefusedError("JSON", `a value JSON cannot write: ${why}`, { cause });
}

/** The transport is gone. A peer that has said goodbye was not lost, however its transport went afterwards. */
export function lost(cause: Error | undefined, goodbye: string | undefined, printed: string): SessionError {
  if (goodbye !== undefined) return new SessionError("closed", "peer", goodbye, { cause });
  const message =
    cause === undefined ? "the transport closed" : `the transport failed: ${cause.message}${printed}`;
  return new SessionError("lost", "transport", message, { cause });
}

/** Input after which nothing can be told apart any more (L3). `quotes`: whether the error may tell how it begins. */
export function unreadable(error: DecodeError, quotes: boolean): SessionError {
  const quote = quotes && error.excerpt() !== "" ? `; it begins "${error.excerpt()}"` : "";
  const code = error.code === ErrorCode.limit ? "limit" : "protocol";
  return new SessionError(code, "peer", `${error.message}${quote}`, { rule: error.rule, cause: error });
}
