// Messages as text. Values that JSON cannot write throw here, before anything has been sent.
import type { Dialect } from "./dialect.ts";
import type { ErrorObject, Id } from "./message.ts";

/** Members beside JSON-RPC's own, such as `traceparent` and `deadline` (C5). */
export type Extras = Readonly<Record<string, unknown>>;

/** @throws TypeError or RangeError where params hold a BigInt, a cycle, or nest too deep for the engine. */
export function encodeRequest(
  dialect: Dialect,
  id: Id,
  method: string,
  params: unknown,
  extras?: Extras,
): string {
  // Spreading nothing would still take the engine's slow way.
  if (extras === undefined && dialect.version !== "omitted")
    return JSON.stringify({ jsonrpc: "2.0", id, method, params });
  return dialect.version === "omitted"
    ? JSON.stringify({ id, method, params, ...extras })
    : JSON.stringify({ jsonrpc: "2.0", id, method, params, ...extras });
}

/** @throws as `encodeRequest` does. */
export function encodeNotification(
  dialect: Dialect,
  method: string,
  params: unknown,
  extras?: Extras,
): string {
  return dialect.version === "omitted"
    ? JSON.stringify({ method, params, ...extras })
    : JSON.stringify({ jsonrpc: "2.0", method, params, ...extras });
}

/**
 * A result of undefined is written as null: an answer must have one.
 * @throws as `encodeRequest` does, and TypeError where the result is a function or a symbol.
 */
export function encodeResult(dialect: Dialect, id: Id, result: unknown): string {
  if (typeof result === "function" || typeof result === "symbol")
    throw new TypeError(`a ${typeof result} cannot be a result`);
  const value = plain(result) ?? null;
  if (typeof value === "function" || typeof value === "symbol") return encodeResult(dialect, id, null);
  return dialect.version === "omitted"
    ? JSON.stringify({ id, result: value })
    : JSON.stringify({ jsonrpc: "2.0", id, result: value });
}

// A `toJSON` may return undefined too, and would take the member with it.
function plain(value: unknown): unknown {
  const { toJSON } = (value ?? {}) as { toJSON?: unknown };
  return typeof toJSON === "function" ? toJSON.call(value, "") : value;
}

/** @throws as `encodeRequest` does, because of `error.data`. */
export function encodeError(dialect: Dialect, given: Id, error: ErrorObject): string {
  const id = given ?? dialect.noId;
  return dialect.version === "omitted"
    ? JSON.stringify({ id, error })
    : JSON.stringify({ jsonrpc: "2.0", id, error });
}
