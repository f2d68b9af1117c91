import {
  CancelledError,
  RefusedError,
  RpcError,
  SessionError,
  TimeoutError,
  type CallOptions,
} from "@sluice/session";

export type ExecErrorKind =
  /** What was asked for is not valid, by our own judgement. Nothing was sent. */
  | "invalid"
  /** A limit of ours, or a state in which it cannot be done. Nothing was sent. */
  | "refused"
  /** The executor does not have it. */
  | "unsupported"
  /** No such file, process or handle (-32004, or the executor's word for it). */
  | "not found"
  /** The executor answered with another error; `code` and the message are its own. */
  | "answered"
  /** The executor broke the rules of the wire. */
  | "protocol"
  /** No answer in time. */
  | "timeout"
  /** Output is gone for good: its reader, or the connection, was away for longer than the executor keeps it. */
  | "output lost"
  /** The connection was lost while this waited. */
  | "disconnected"
  /** The connection is being recovered, and the client's policy is not to wait. Nothing was sent. */
  | "recovering"
  /** The connection was lost, and could not be recovered. */
  | "failed"
  /** The client was closed. */
  | "closed";

/** Why something asked of an executor did not come about. */
export class ExecError extends Error {
  readonly _tag: "ExecError" = "ExecError";
  override readonly name: string = "ExecError";
  readonly kind: ExecErrorKind;
  /** Whether it may have been done nevertheless. */
  readonly mayHaveRun: boolean;
  /** The JSON-RPC error code where the executor answered with an error. */
  readonly code: number | undefined;

  constructor(
    kind: ExecErrorKind,
    message: string,
    options: { readonly cause?: unknown; readonly mayHaveRun?: boolean; readonly code?: number } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.mayHaveRun = options.mayHaveRun ?? !UNSENT.has(kind);
    this.code = options.code;
  }
}

const UNSENT: ReadonlySet<ExecErrorKind> = new Set(["invalid", "refused", "unsupported", "recovering"]);

const METHOD_NOT_FOUND = -32601;
const NOT_FOUND = -32004;

/** Why a call of `method` failed, as its caller is told: an `ExecError`, or the reason of the caller's own signal. */
export function callError(error: unknown, method: string, options: CallOptions = {}): unknown {
  if (error instanceof RpcError) return answered(error, method);
  if (error instanceof SessionError) return disconnected(error);
  if (error instanceof CancelledError && options.signal?.aborted === true) return options.signal.reason;
  if (error instanceof TimeoutError) return new ExecError("timeout", error.message, { cause: error });
  if (error instanceof RefusedError)
    return new ExecError("refused", `${method}: ${error.message}`, { cause: error });
  return error;
}

/** What becomes of a call whose session is over. */
export function disconnected(cause: SessionError): ExecError {
  return new ExecError("disconnected", `exec-server transport disconnected: ${cause.message}`, { cause });
}

function answered(cause: RpcError, method: string): ExecError {
  const { code, mayHaveRun } = cause;
  const kind = KINDS.get(code) ?? "answered";
  return new ExecError(kind, `${method}: ${cause.message}`, { cause, mayHaveRun, code });
}

const KINDS: ReadonlyMap<number, ExecErrorKind> = new Map([
  [METHOD_NOT_FOUND, "unsupported"],
  [NOT_FOUND, "not found"],
]);
