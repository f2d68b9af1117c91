// How MCP travels over ACP, in two revisions that share the name of a method.
//
// `connections` (agent-client-protocol 2 in Rust, the schema up to 1.7): the agent connects to a declared server and gets a
// `connectionId`; both sides then send `mcp/message` with it, whose answer is the inner answer itself.
// `requests` (the schema of November 2026): no connections. Each `mcp/message` of the agent's stands for itself, with the
// server's id and one of its own; its answer carries the inner result or the inner error; while it runs the server may notify.
import { ErrorCode, type Params } from "@sluice/codec";
import { RpcError } from "@sluice/session";
import {
  field,
  notification,
  request,
  requests,
  type ChainMessage,
  type NotificationType,
  type RequestType,
  type RequestUnion,
} from "@sluice/session/builder";

export type McpRevision = "connections" | "requests";

export const McpConnect: RequestType = request("mcp/connect");
export const McpMessage: RequestType = request("mcp/message");
export const McpDisconnect: RequestType = request("mcp/disconnect");
export const McpNotification: NotificationType = notification("mcp/message");

/** What an agent asks of who provides servers. */
export const MCP_REQUESTS: RequestUnion = requests(McpConnect, McpMessage, McpDisconnect);

/** Whom a message is for. */
export type McpAddress =
  | { readonly to: "connection"; readonly connectionId: string }
  | { readonly to: "server"; readonly serverId: string; readonly requestId: unknown };

/** Undefined where it says nobody. */
export function addressOf(params: unknown): McpAddress | undefined {
  const connectionId = field(params, "connectionId");
  if (typeof connectionId === "string") return { to: "connection", connectionId };
  const serverId = field(params, "serverId");
  if (typeof serverId !== "string") return undefined;
  return { to: "server", serverId, requestId: field(params, "requestId") };
}

/**
 * The message inside. Without params where those are null or absent.
 * @throws RpcError -32602 where there is none, and where its params go by position: MCP knows only names.
 */
export function innerOf(params: unknown): ChainMessage {
  const method = field(params, "method");
  if (typeof method !== "string") throw invalid("method is missing");
  const inner = field(params, "params");
  if (inner === undefined || inner === null) return { method, params: undefined };
  if (typeof inner !== "object" || Array.isArray(inner)) throw invalid("the inner params must be an object");
  return { method, params: inner as Params };
}

/** The message with the address it travels under. */
export function addressed(
  address: Readonly<Record<string, string>>,
  { method, params }: ChainMessage,
): Record<string, unknown> {
  return params === undefined ? { ...address, method } : { ...address, method, params };
}

export function invalid(reason: string): RpcError {
  return new RpcError(ErrorCode.invalidParams, `mcp/message: ${reason}`);
}
