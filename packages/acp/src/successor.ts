// What a proxy says to the one behind it, and hears from it, travels in an envelope: a message whose params hold another
// message. Two revisions of the proxy extension spell it differently; both are read, and a connection is answered as it speaks.
import { ErrorCode, type Id, type Params } from "@sluice/codec";
import { RpcError } from "@sluice/session";
import type { ChainMessage } from "@sluice/session/builder";

/** `proxy`: the schema since November 2026, and the Rust crate 5. `_proxy`: the crate up to 2. */
export type Spelling = "_proxy" | "proxy";

function successorMethod(spelling: Spelling): string {
  return `${spelling}/successor`;
}
export function initializeMethod(spelling: Spelling): string {
  return `${spelling}/initialize`;
}

/** The spelling of a proxy's `initialize`; undefined where it is none. */
export function initializeSpelling(method: string): Spelling | undefined {
  return spellingOf(method, "/initialize");
}
/** The spelling of an envelope; undefined where it is none. */
export function successorSpelling(method: string): Spelling | undefined {
  return spellingOf(method, "/successor");
}

export function isSuccessor(message: ChainMessage): boolean {
  return successorSpelling(message.method) !== undefined;
}

/** A message in its envelope. */
export function wrap({ method, params }: ChainMessage, spelling: Spelling): ChainMessage {
  return {
    method: successorMethod(spelling),
    params: params === undefined ? { method } : { method, params },
  };
}

/** `inner` in the place of what was in `outer`, whose other members it keeps. */
export function wrapAgain(outer: ChainMessage, inner: ChainMessage): ChainMessage {
  const { method, params } = inner;
  const { params: _, ...rest } = outer.params as Record<string, unknown>;
  return {
    method: outer.method,
    params: params === undefined ? { ...rest, method } : { ...rest, method, params },
  };
}

/**
 * What is in an envelope.
 * @throws RpcError -32602 where there is no message in it.
 */
export function unwrap(envelope: ChainMessage): ChainMessage {
  const inner = innerOf(envelope);
  if (inner !== undefined) return inner;
  throw new RpcError(ErrorCode.invalidParams, `${envelope.method} without a method in its params`);
}

/** What is in it, out of as many envelopes as there are; a malformed one stays as it is. */
function peel(message: ChainMessage): ChainMessage {
  let now = message;
  while (isSuccessor(now)) {
    const inner = innerOf(now);
    if (inner === undefined) return now;
    now = inner;
  }
  return now;
}

const CANCEL = "$/cancel_request";

export function isCancel(notification: ChainMessage): boolean {
  return peel(notification).method === CANCEL;
}

/** The request a cancel in an envelope is for; the connection knows one that is in none. */
export function wrappedCancel(notification: ChainMessage): Id | undefined {
  if (!isSuccessor(notification)) return undefined;
  const { method, params } = peel(notification);
  if (method !== CANCEL) return undefined;
  const id = (params as { requestId?: unknown } | undefined)?.requestId;
  return typeof id === "string" || typeof id === "number" || id === null ? id : undefined;
}

function innerOf({ params }: ChainMessage): ChainMessage | undefined {
  if (params === undefined || Array.isArray(params)) return undefined;
  const { method, params: inner } = params as { method?: unknown; params?: unknown };
  if (typeof method !== "string") return undefined;
  if (inner === undefined || inner === null) return { method, params: undefined };
  return typeof inner === "object" ? { method, params: inner as Params } : undefined;
}

function spellingOf(method: string, suffix: string): Spelling | undefined {
  if (!method.endsWith(suffix)) return undefined;
  const spelling = method.slice(0, -suffix.length);
  return spelling === "_proxy" || spelling === "proxy" ? spelling : undefined;
}
