// One request that stands for itself (MCP 2026-07-28), put to a server that knows conversations: it is opened by what the
// request says of its client, asked, and over with the answer. A server that knows no `initialize` is asked as it is.
import { ErrorCode } from "@sluice/codec";
import { RpcError } from "@sluice/session";
import { field, type ChainMessage } from "@sluice/session/builder";
import type { McpEnd } from "./mcp-end.ts";

/** What a request says of its client, in the `_meta` of its params. */
export const META = "io.modelcontextprotocol/";
export const MODERN = "2026-07-28";
/** What a server that knows conversations is opened with. */
export const VERSION = "2025-11-25";

/** Results that 2026-07-28 wants to have said for how long they may be kept. */
const KEPT: ReadonlySet<string> = new Set([
  "server/discover",
  "tools/list",
  "resources/list",
  "resources/templates/list",
  "resources/read",
  "prompts/list",
]);

/** The result. Rejects with the server's RpcError, or with what ended the request. */
export async function askAlone(end: McpEnd, message: ChainMessage, signal: AbortSignal): Promise<unknown> {
  if (message.method === "initialize") return end.ask(message, signal).result();
  const meta = field(message.params, "_meta");
  const opened = await open(end, meta, signal);
  if (field(meta, `${META}protocolVersion`) !== MODERN || opened === undefined)
    return end.ask(message, signal).result();
  const result =
    message.method === "server/discover" ? discovered(opened) : await end.ask(message, signal).result();
  return modern(message.method, result);
}

/** What the server says of itself; undefined where it knows no conversations. */
async function open(end: McpEnd, meta: unknown, signal: AbortSignal): Promise<unknown> {
  const initialize = {
    protocolVersion: VERSION,
    capabilities: field(meta, `${META}clientCapabilities`) ?? {},
    clientInfo: field(meta, `${META}clientInfo`) ?? { name: "acp", version: "0" },
  };
  try {
    const opened = await end.ask({ method: "initialize", params: initialize }, signal).result();
    await end.notify({ method: "notifications/initialized", params: undefined });
    return opened;
  } catch (error) {
    if (error instanceof RpcError && error.code === ErrorCode.methodNotFound) return undefined;
    throw error;
  }
}

function discovered(opened: unknown): object {
  const instructions = field(opened, "instructions");
  return {
    supportedVersions: [MODERN],
    capabilities: field(opened, "capabilities") ?? {},
    ...(instructions !== undefined && { instructions }),
    _meta: { [`${META}serverInfo`]: field(opened, "serverInfo") },
  };
}

function modern(method: string, result: unknown): unknown {
  if (typeof result !== "object" || result === null || Array.isArray(result)) return result;
  const kept = KEPT.has(method) ? { ttlMs: 0, cacheScope: "private" } : {};
  return { resultType: "complete", ...kept, ...result };
}
