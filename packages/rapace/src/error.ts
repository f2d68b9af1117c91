// What a peer answers in place of a result, and how it is written: code, length and text, u32 little-endian each.
import { decodeUtf8 } from "@sluice/codec";
import { CancelledError, RefusedError, TimeoutError } from "@sluice/core";

/** The codes of the published crates. Up to 1 they are gRPC's; after it they are not. */
export const ErrorCode: {
  readonly ok: 0;
  readonly cancelled: 1;
  readonly deadlineExceeded: 2;
  readonly invalidArgument: 3;
  readonly notFound: 4;
  readonly alreadyExists: 5;
  readonly permissionDenied: 6;
  readonly resourceExhausted: 7;
  readonly failedPrecondition: 8;
  readonly aborted: 9;
  readonly outOfRange: 10;
  readonly unimplemented: 11;
  readonly internal: 12;
  readonly unavailable: 13;
  readonly dataLoss: 14;
  readonly peerDied: 100;
  readonly sessionClosed: 101;
  readonly validationFailed: 102;
  readonly staleGeneration: 103;
} = {
  ok: 0,
  cancelled: 1,
  deadlineExceeded: 2,
  invalidArgument: 3,
  notFound: 4,
  alreadyExists: 5,
  permissionDenied: 6,
  resourceExhausted: 7,
  failedPrecondition: 8,
  aborted: 9,
  outOfRange: 10,
  unimplemented: 11,
  internal: 12,
  unavailable: 13,
  dataLoss: 14,
  peerDied: 100,
  sessionClosed: 101,
  validationFailed: 102,
  staleGeneration: 103,
};

/**
 * An error as an answer. Thrown by a dispatcher it becomes the answer; a caller gets it as the peer sent it. Anything
 * else a dispatcher throws is answered `internal` without its text.
 */
export class RapaceError extends Error {
  readonly _tag: "RapaceError" = "RapaceError";
  override readonly name: string = "RapaceError";
  /** One of `ErrorCode`, or whatever else a dispatcher of ours chose: published peers take that for `internal`. */
  readonly code: number;
  /** False where the code says that the call was turned away unrun (`unimplemented`). */
  readonly mayHaveRun: boolean;

  constructor(code: number, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
    this.mayHaveRun = code !== ErrorCode.unimplemented;
  }
}

const KNOWN: ReadonlySet<number> = new Set(Object.values(ErrorCode));
const encoder = new TextEncoder();
const lossy = new TextDecoder();

/** R7: the error in a payload, whatever the payload is. Bytes behind it are ignored. */
export function readError(payload: Uint8Array): RapaceError {
  const malformed = new RapaceError(ErrorCode.internal, "malformed error response");
  if (payload.length < 8) return malformed;
  const view = new DataView(payload.buffer, payload.byteOffset, 8);
  const code = view.getUint32(0, true);
  const length = view.getUint32(4, true);
  if (length > payload.length - 8) return malformed;
  const bytes = payload.subarray(8, 8 + length);
  return new RapaceError(
    KNOWN.has(code) ? code : ErrorCode.internal,
    decodeUtf8(bytes) ?? lossy.decode(bytes),
  );
}

/** R7: the payload of an error. A text above 64 KiB is cut. */
export function writeError({ code, message }: Pick<RapaceError, "code" | "message">): Uint8Array {
  const text = encoder.encode(message.slice(0, LONGEST));
  const payload = new Uint8Array(8 + text.length);
  const view = new DataView(payload.buffer);
  view.setUint32(0, code, true);
  view.setUint32(4, text.length, true);
  payload.set(text, 8);
  return payload;
}

const LONGEST = 64 * 1024;

/** What the peer is told of an error: that of a `RapaceError`; of any other only its kind. */
export function forPeer(error: unknown): RapaceError {
  if (error instanceof RapaceError) return error;
  if (error instanceof CancelledError) return new RapaceError(ErrorCode.cancelled, "cancelled");
  if (error instanceof TimeoutError) return new RapaceError(ErrorCode.deadlineExceeded, "deadline exceeded");
  if (error instanceof RefusedError) return new RapaceError(ErrorCode.internal, "refused");
  return new RapaceError(ErrorCode.internal, "internal error");
}
