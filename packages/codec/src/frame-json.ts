// PROTOCOL F, JSON encoding: frames as `$/` notifications.
import { fromBase64, toBase64 } from "./base64.ts";
import { isStreamId, protocolError, readControl } from "./control.ts";
import type { DecodeError } from "./error.ts";
import type { ControlFrame, DataFrame, FrameType } from "./frame.ts";
import { DATA_LIMIT } from "./limits.ts";

const METHOD: Readonly<Record<Exclude<FrameType, "message">, string>> = {
  data: "$/stream/data",
  end: "$/stream/end",
  reset: "$/stream/reset",
  stop: "$/stream/stop",
  grant: "$/stream/grant",
  ping: "$/ping",
  pong: "$/pong",
  drain: "$/drain",
};
const TYPE: ReadonlyMap<string, FrameType> = new Map(
  Object.entries(METHOD).map(([type, method]) => [method, type as FrameType]),
);
/** What a payload of `DATA_LIMIT` bytes takes as base64. */
const BASE64_LIMIT = 4 * Math.ceil(DATA_LIMIT / 3);

/**
 * The frame a notification carries; undefined where it is no frame. `length` is the message's, in UTF-16 units.
 * A frame that is malformed is an error that closes the session.
 */
export function frameOf(
  method: string,
  params: unknown,
  length: number,
): ControlFrame | DecodeError | undefined {
  const type = TYPE.get(method);
  if (type === undefined) return undefined;
  const { id } = (params ?? {}) as { id?: unknown };
  if (type === "ping" || type === "pong" || type === "drain") return readControl(type, 0, params);
  if (!isStreamId(id)) return protocolError("F1", type);
  return type === "data"
    ? readData(id, params as Record<string, unknown>, length)
    : readControl(type, id, params);
}

function readData(id: number, params: Record<string, unknown>, length: number): DataFrame | DecodeError {
  const { end = false, bytes, size } = params;
  if (typeof end !== "boolean") return protocolError("F1", "data");
  if (Object.hasOwn(params, "item")) {
    if (!Number.isSafeInteger(size) || (size as number) < 1 || bytes !== undefined)
      return protocolError("S5", "data");
    if (length > 2 * (size as number) + 1024) return protocolError("S5", "data");
    const payload = { value: params["item"] };
    return { type: "data", id, size: size as number, payload, item: true, more: false, end };
  }
  if (Object.hasOwn(params, "part")) return readPart(id, params, end);
  if (typeof bytes !== "string") return protocolError("F1", "data");
  if (bytes.length > BASE64_LIMIT) return protocolError("F2", "data"); // before anything is allocated
  const payload = fromBase64(bytes);
  if (payload === undefined) return protocolError("F1", "data");
  if (payload.length > DATA_LIMIT) return protocolError("F2", "data");
  if (payload.length === 0 && !end) return protocolError("F2a", "data");
  return { type: "data", id, size: payload.length, payload, item: false, more: false, end };
}

// F2: a part of an item's JSON text, as a string; what credit counts is its UTF-8.
function readPart(id: number, params: Record<string, unknown>, end: boolean): DataFrame | DecodeError {
  const { part, more = false } = params;
  if (typeof part !== "string" || typeof more !== "boolean") return protocolError("F1", "data");
  // Half a surrogate pair would become U+FFFD.
  if (part.length > DATA_LIMIT || !part.isWellFormed()) return protocolError("F2", "data");
  const payload = new TextEncoder().encode(part);
  if (payload.length > DATA_LIMIT) return protocolError("F2", "data");
  if (payload.length === 0 || (more && end)) return protocolError("F2a", "data");
  return { type: "data", id, size: payload.length, payload, item: true, more, end };
}

/** Writes a control frame; data frames are written by `bytesToJson`, `itemToJson` and `partToJson`. */
export function frameToJson(frame: Exclude<ControlFrame, DataFrame>): string {
  const { type, ...params } = frame;
  return notification(METHOD[type], JSON.stringify(params));
}

export function bytesToJson(id: number, bytes: Uint8Array, end: boolean): string {
  return notification(METHOD.data, `{"id":${id},"bytes":"${toBase64(bytes)}"${end ? ',"end":true' : ""}}`);
}

/** `item` is JSON text of `size` UTF-8 bytes. */
export function itemToJson(id: number, item: string, size: number, end: boolean): string {
  return notification(METHOD.data, `{"id":${id},"item":${item},"size":${size}${end ? ',"end":true' : ""}}`);
}

/** A part of an item that is too large to go whole (F2): `part` is a slice of its JSON text. */
export function partToJson(id: number, part: string, more: boolean, end: boolean): string {
  const flags = `${more ? ',"more":true' : ""}${end ? ',"end":true' : ""}`;
  return notification(METHOD.data, `{"id":${id},"part":${JSON.stringify(part)}${flags}}`);
}

function notification(method: string, params: string): string {
  return `{"jsonrpc":"2.0","method":"${method}","params":${params}}`;
}
