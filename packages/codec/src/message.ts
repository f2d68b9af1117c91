// What a JSON value means as a JSON-RPC message, in the order JSON-RPC 2.0 prescribes: is it a message at all, is its
// version right, is its id usable, what is it. After this nothing checks shapes again.
import type { Dialect } from "./dialect.ts";
import { parseExactly } from "./big-integer.ts";
import { DecodeError, ErrorCode } from "./error.ts";
import { tooDeep } from "./depth.ts";
import type { DecodeLimits } from "./limits.ts";
import { hasDuplicateKeys, tooManyValues } from "./values.ts";

export type Id = number | string | null;

/** An object or an array, as JSON-RPC 2.0 section 4.2 demands. */
export type Params = Record<string, unknown> | readonly unknown[];

/** The error of an answer. */
export interface ErrorObject {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

export interface RequestMessage {
  readonly kind: "request";
  readonly id: Id;
  readonly method: string;
  readonly params: Params | undefined;
  /** The message as it came, for members that are not JSON-RPC's own. */
  readonly raw: Readonly<Record<string, unknown>>;
}

export interface NotificationMessage {
  readonly kind: "notification";
  readonly method: string;
  readonly params: Params | undefined;
  readonly raw: Readonly<Record<string, unknown>>;
}

export interface ResultMessage {
  readonly kind: "result";
  readonly id: Id;
  readonly result: unknown;
}

export interface ErrorMessage {
  readonly kind: "error";
  readonly id: Id;
  readonly error: ErrorObject;
}

/** Not a message. `id` is to be answered with; `answers` is set where it was meant as the answer to a call of ours. */
export interface InvalidMessage {
  readonly kind: "invalid";
  readonly id: Id;
  readonly answers: boolean;
  readonly error: DecodeError;
}

export type AnswerMessage = ResultMessage | ErrorMessage;
export type Message = RequestMessage | NotificationMessage | AnswerMessage | InvalidMessage;

/** A batch, in its order (JSON-RPC 2.0 section 6). */
export interface Batch {
  readonly kind: "batch";
  readonly messages: readonly Message[];
}

/** Any text becomes a message, a batch, or an invalid message that says which rule it broke. */
export function parseMessage(text: string, dialect: Dialect, limits: DecodeLimits): Message | Batch {
  if (tooDeep(text, limits.depth)) return invalid("limits.depth", "message nests too deep", text);
  if (tooManyValues(text, limits.values))
    return invalid("limits.values", `exceeds the limit of ${limits.values} JSON values`, text);
  let value: unknown;
  try {
    value = dialect.bigIntegers === "kept" ? parseExactly(text) : JSON.parse(text);
  } catch {
    return invalidWith(new DecodeError("JSON-RPC 5.1", ErrorCode.parse, "not JSON", { input: text }));
  }
  if (dialect.duplicateKeys === "refused" && hasDuplicateKeys(text, value))
    return invalid(`dialect ${dialect.name}`, "duplicate JSON object key");
  return Array.isArray(value) ? classifyBatch(value, dialect, limits) : classify(value, dialect, limits);
}

function classifyBatch(values: readonly unknown[], dialect: Dialect, limits: DecodeLimits): Message | Batch {
  if (dialect.batches === "refused") return invalid(`dialect ${dialect.name}`, "batches are not spoken here");
  if (values.length === 0) return invalid("JSON-RPC 6", "a batch holds at least one message");
  if (values.length > limits.batch)
    return invalid("limits.batch", `more than ${limits.batch} messages in a batch`);
  return { kind: "batch", messages: values.map((value) => classify(value, dialect, limits)) };
}

/** Any JSON value but a batch becomes a message. */
export function classify(value: unknown, dialect: Dialect, limits: DecodeLimits): Message {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return invalid("JSON-RPC 4", "a message is an object");
  const raw = value as Record<string, unknown>;
  const method = raw["method"];
  const isAnswer = method === undefined && (Object.hasOwn(raw, "result") || Object.hasOwn(raw, "error"));
  const id = raw["id"];
  const idFault = id === undefined ? undefined : checkId(id, dialect, limits);
  const readable = id === undefined || idFault !== undefined ? null : (id as Id);

  if (dialect.version === "required" && raw["jsonrpc"] !== "2.0")
    return invalid("JSON-RPC 4", '"jsonrpc" must be "2.0"', undefined, readable, isAnswer);
  if (idFault !== undefined) return invalid("JSON-RPC 4", idFault, undefined, null, isAnswer);
  if (method === undefined)
    return isAnswer ? classifyAnswer(raw, readable) : noMethod(readable, id !== undefined);
  if (typeof method !== "string")
    return invalid("JSON-RPC 4", '"method" must be a string', undefined, readable);
  if (method.length > limits.method)
    return invalid("limits.method", "method name too long", undefined, readable);

  const params = raw["params"] ?? undefined; // null is taken as absent: many peers write it
  if (params !== undefined && typeof params !== "object")
    return invalid("JSON-RPC 4.2", '"params" must be an object or an array', undefined, readable);
  if (id === undefined) return { kind: "notification", method, params: params as Params | undefined, raw };
  if (id === null && dialect.nullIds === "refused")
    return invalid(`dialect ${dialect.name}`, "id must not be null");
  return { kind: "request", id: readable, method, params: params as Params | undefined, raw };
}

// Without method, result and error: with an id some call of ours may wait for it, so it counts as an answer.
function noMethod(id: Id, answers: boolean): InvalidMessage {
  return invalid("JSON-RPC 4", "neither a request nor an answer", undefined, id, answers);
}

function classifyAnswer(raw: Record<string, unknown>, id: Id): Message {
  const malformed = (why: string): InvalidMessage => invalid("JSON-RPC 5", why, undefined, id, true);
  const hasError = Object.hasOwn(raw, "error") && !(raw["error"] === null && Object.hasOwn(raw, "result"));
  if (!Object.hasOwn(raw, "id")) return malformed("an answer has an id");
  if (!hasError) return { kind: "result", id, result: raw["result"] };
  // Some peers write `"result": null` beside an error; both with a value is no answer at all.
  if (raw["result"] !== undefined && raw["result"] !== null) return malformed("both result and error");
  const error = raw["error"];
  if (typeof error !== "object" || error === null || Array.isArray(error))
    return malformed('"error" must be an object');
  const { code, message, data } = error as Record<string, unknown>;
  if (!Number.isInteger(code)) return malformed("an error's code must be an integer");
  if (typeof message !== "string") return malformed("an error's message must be a string");
  const object: ErrorObject =
    data === undefined ? { code: code as number, message } : { code: code as number, message, data };
  return { kind: "error", id, error: object };
}

function checkId(id: unknown, dialect: Dialect, limits: DecodeLimits): string | undefined {
  switch (typeof id) {
    case "string":
      return id.length > limits.id ? "id too long" : undefined;
    case "number":
      // Past 2^53 JSON.parse has already rounded: to echo it would answer another request.
      if (Number.isSafeInteger(id)) return undefined;
      if (!Number.isFinite(id) || Number.isInteger(id)) return "id is not a safe integer";
      return dialect.fractionalIds === "refused" ? "id must be an integer" : undefined;
    default:
      return id === null ? undefined : "id must be a string or a number";
  }
}

function invalid(
  rule: string,
  message: string,
  input?: string,
  id: Id = null,
  answers: boolean = false,
): InvalidMessage {
  const options = input === undefined ? {} : { input };
  return invalidWith(new DecodeError(rule, ErrorCode.invalidRequest, message, options), id, answers);
}

function invalidWith(error: DecodeError, id: Id = null, answers: boolean = false): InvalidMessage {
  return { kind: "invalid", id, answers, error };
}
