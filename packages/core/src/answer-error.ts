// What a peer is told of what went wrong here.
import { encodeError, ErrorCode, utf8Length, type ErrorObject, type Id } from "@sluice/codec";
import type { Core } from "./core.ts";
import { CancelledError, RefusedError, RpcError } from "./error.ts";

/** An `RpcError` as it is, a cancel as -32800; of anything else only that it happened. */
export function toRpcError(error: Error): RpcError {
  if (error instanceof RpcError) return error;
  if (error instanceof CancelledError) return new RpcError(ErrorCode.cancelled, "cancelled");
  if (error instanceof RefusedError) return new RpcError(ErrorCode.internal, "the result could not be sent");
  return new RpcError(ErrorCode.internal, "Internal error");
}

/** An error has to arrive: where JSON cannot write its data, or the peer does not take its size, it goes without. */
export function errorText({ dialect, peer }: Core, id: Id, error: ErrorObject): string {
  const max = peer?.limits.message ?? Number.POSITIVE_INFINITY;
  try {
    const text = encodeError(dialect, id, error);
    if (text.length * 3 <= max || utf8Length(text) <= max) return text;
  } catch {
    // a BigInt, a circle
  }
  return encodeError(dialect, id, { code: error.code, message: error.message.slice(0, 500) });
}
