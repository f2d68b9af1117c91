// A JSON-RPC message, as far as a transport looks at one.

export interface JsonRpcMessage {
  readonly jsonrpc?: string | undefined;
  readonly id?: string | number | null | undefined;
  readonly method?: string | undefined;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: unknown;
}

export type RequestId = string | number;

/** The id of a request; undefined for notifications and answers. */
export function requestId({ id, method }: JsonRpcMessage): RequestId | undefined {
  return method === undefined || id === null ? undefined : id;
}

/** Whether it answers the request `id`. 1 and "1" are two. */
export function answers(message: JsonRpcMessage, id: RequestId): boolean {
  return message.method === undefined && message.id === id;
}

/** Whether it is an answer, and which. */
export function answerKind({ method, result, error }: JsonRpcMessage): "result" | "error" | undefined {
  if (method !== undefined) return undefined;
  if (result !== undefined) return "result";
  return isObject(error) ? "error" : undefined;
}

/** The messages in the text of a body or an event; undefined where it holds none. An array is a batch (MCP 2025-03-26). */
export function parseMessages(text: string): readonly JsonRpcMessage[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const all = Array.isArray(value) ? value : [value];
  return all.length > 0 && all.every(isMessage) ? all : undefined;
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isMessage(value: unknown): value is JsonRpcMessage {
  if (!isObject(value)) return false;
  const { id, method } = value;
  const known = id === undefined || id === null || typeof id === "string" || typeof id === "number";
  if (!known) return false;
  return method === undefined ? "result" in value || "error" in value : typeof method === "string";
}
