// The headers of a request, in the order in which they are decided; the later wins, whatever its case.
import { toBase64 } from "@sluice/codec";
import type { HttpHeader, HttpResponse } from "@sluice/exec";
import { isObject, type JsonRpcMessage } from "./message.ts";

type Fields = Readonly<Record<string, string>>;

/** Headers for each request, or what says them for one. */
export type HeaderSource = Fields | (() => Fields | Promise<Fields>);

/** A bearer token for each request, or what says it for one; undefined: none. */
export type TokenSource = string | (() => string | undefined | Promise<string | undefined>);

/** What the headers of one request are made of. */
export interface HeaderParts {
  readonly defaults: HeaderSource | undefined;
  readonly token: TokenSource | undefined;
  /** Those of one message. */
  readonly own?: Fields | undefined;
  readonly accept?: string;
  readonly contentType?: string;
  readonly session: string | undefined;
  readonly version: string | undefined;
  readonly lastEventId?: string | undefined;
}

/** Rejects where `defaults` or `token` do. */
export async function buildHeaders(parts: HeaderParts): Promise<readonly HttpHeader[]> {
  const { defaults, token, own = {}, accept, contentType, session, version, lastEventId } = parts;
  const headers = new Map<string, HttpHeader>();
  const set = (name: string, value: string | undefined): void => {
    if (value === undefined) return;
    headers.delete(name.toLowerCase());
    headers.set(name.toLowerCase(), [name, value]);
  };
  const first = typeof defaults === "function" ? await defaults() : (defaults ?? {});
  for (const [name, value] of Object.entries(first)) set(name, value);
  set("mcp-protocol-version", version);
  for (const [name, value] of Object.entries(own)) set(name, value);
  set("accept", accept);
  set("content-type", contentType);
  const bearer = typeof token === "function" ? await token() : token;
  set("authorization", bearer === undefined ? undefined : `Bearer ${bearer}`);
  set("mcp-session-id", session);
  set("last-event-id", lastEventId);
  return [...headers.values()];
}

/** The first header of that name. */
export function headerOf({ headers }: Pick<HttpResponse, "headers">, name: string): string | undefined {
  return headers.find(([one]) => one.toLowerCase() === name)?.[1];
}

/** The media type of a body without its parameters, in lower case; empty where there is none. */
export function mediaType(response: Pick<HttpResponse, "headers">): string {
  const [type = ""] = (headerOf(response, "content-type") ?? "").split(";");
  return type.trim().toLowerCase();
}

/**
 * What MCP 2026-07-28 wants repeated in headers of a request that says its version in `_meta`, so that servers can route
 * it unread. Earlier versions do not say it, and get none.
 */
export function mirroredHeaders({ id, method, params }: JsonRpcMessage): Fields {
  if (method === undefined || id === undefined || !isObject(params)) return {};
  const meta = params["_meta"];
  const version = isObject(meta) ? meta["io.modelcontextprotocol/protocolVersion"] : undefined;
  if (typeof version !== "string") return {};
  const member = Object.hasOwn(NAMED, method) ? NAMED[method] : undefined;
  const name = member === undefined ? undefined : params[member];
  return {
    "mcp-protocol-version": version,
    "mcp-method": method,
    ...(typeof name === "string" && { "mcp-name": fieldValue(name) }),
  };
}

/** By method: the member of its params that names what it is about. */
const NAMED: Readonly<Record<string, string>> = {
  "tools/call": "name",
  "prompts/get": "name",
  "resources/read": "uri",
  "tasks/get": "taskId",
  "tasks/update": "taskId",
  "tasks/cancel": "taskId",
};

/** As it is where a header can carry it, else in base64, marked as such. */
function fieldValue(text: string): string {
  if (/^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(text) && !text.startsWith("=?base64?")) return text;
  return `=?base64?${toBase64(new TextEncoder().encode(text))}?=`;
}
