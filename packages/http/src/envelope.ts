// What this wire must know of a message: who waits for it and whom it answers. It judges no more than that; what a
// session thinks of a message is the session's own affair.

/** A JSON-RPC id that an answer can be told by. */
export type RequestId = string | number;

/** One JSON-RPC message, seen from outside. */
export type Envelope =
  | { readonly kind: "request"; readonly id: RequestId; readonly method: string; readonly params: unknown }
  | { readonly kind: "notification"; readonly method: string; readonly params: unknown }
  | {
      readonly kind: "answer";
      /** null where whoever answers could not read the id of what it answers. */
      readonly id: RequestId | null;
      readonly result: unknown;
    }
  /** Not one message: `code` is JSON-RPC's, the message names the rule. */
  | { readonly kind: "invalid"; readonly code: -32700 | -32600; readonly message: string };

/** Looks at the text of a message. Never throws. */
export function peek(text: string): Envelope {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: "invalid", code: -32700, message: "not JSON" };
  }
  if (Array.isArray(value))
    return invalid("one message at a time: batches are not spoken here (MCP 2025-11-25)");
  if (!isObject(value)) return invalid("a message is an object (JSON-RPC 4)");
  const { method, id, params } = value;
  if (method === undefined) {
    if (!Object.hasOwn(value, "result") && !Object.hasOwn(value, "error"))
      return invalid("neither a request nor an answer (JSON-RPC 4)");
    if (!isId(id) && id !== null) return invalid("an answer has the id of its request (JSON-RPC 5)");
    return { kind: "answer", id, result: value["result"] };
  }
  if (typeof method !== "string") return invalid('"method" must be a string (JSON-RPC 4)');
  if (id === undefined) return { kind: "notification", method, params };
  if (!isId(id)) return invalid("an id is a string or a number (JSON-RPC 4)");
  return { kind: "request", id, method, params };
}

/** Tells ids apart: 1 and "1" are two. */
export function idKey(id: RequestId): string {
  return typeof id === "number" ? `${id}` : `"${id}`;
}

/** The MCP version that an `initialize` asks for or its result settles; undefined where there is none. */
export function protocolVersion(value: unknown): string | undefined {
  const version = isObject(value) ? value["protocolVersion"] : undefined;
  return typeof version === "string" ? version : undefined;
}

/** What a request asks to be told its progress by (MCP 2025-11-25, "Progress"); undefined where it does not ask. */
export function progressToken(params: unknown): RequestId | undefined {
  const meta = isObject(params) ? params["_meta"] : undefined;
  const token = isObject(meta) ? meta["progressToken"] : undefined;
  return isId(token) ? token : undefined;
}

/** The token of the request whose progress a message tells; undefined where it tells none. */
export function progressOf(envelope: Envelope): RequestId | undefined {
  if (envelope.kind !== "notification" || envelope.method !== "notifications/progress") return undefined;
  const token = isObject(envelope.params) ? envelope.params["progressToken"] : undefined;
  return isId(token) ? token : undefined;
}

/** The request that a notification asks to cancel, in any of the spellings there are. */
export function cancelledBy(envelope: Envelope): RequestId | undefined {
  if (envelope.kind !== "notification" || !isObject(envelope.params)) return undefined;
  const member = CANCEL_MEMBER[envelope.method];
  const id = member === undefined ? undefined : envelope.params[member];
  return isId(id) ? id : undefined;
}

const CANCEL_MEMBER: Readonly<Record<string, string | undefined>> = {
  __proto__: null as never,
  "notifications/cancelled": "requestId",
  "$/cancelRequest": "id",
  "$/cancel_request": "requestId",
};

function invalid(message: string): Envelope {
  return { kind: "invalid", code: -32600, message };
}

function isId(value: unknown): value is RequestId {
  return typeof value === "string" || (typeof value === "number" && Number.isFinite(value));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
