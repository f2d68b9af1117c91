// How a server is declared to the agent: in the `mcpServers` of whatever sets up a session.
import { field, request, requests, type RequestUnion } from "@sluice/session/builder";

/** An MCP server that is spoken to over ACP: an entry of `mcpServers`. */
export interface McpDeclaration {
  readonly type: "acp";
  readonly name: string;
  readonly serverId: string;
  readonly _meta?: Readonly<Record<string, unknown>> | null;
}

/** The requests that set up a session, of both versions of ACP. */
export const SESSION_SETUPS: RequestUnion = requests(
  request("session/new"),
  request("session/load"),
  request("session/resume"),
  request("session/fork"),
);

export function isMcpDeclaration(value: unknown): value is McpDeclaration {
  const isString = (name: string): boolean => typeof field(value, name) === "string";
  return field(value, "type") === "acp" && isString("name") && isString("serverId");
}

/** Of the servers that a session is given, those that are spoken to over ACP: see `mcpOverAcp`. */
export function mcpDeclarations(mcpServers: readonly unknown[]): McpDeclaration[] {
  return mcpServers.filter(isMcpDeclaration);
}

/** The servers in the params; undefined where they are no list. */
export function declaredServers(params: unknown): readonly unknown[] | undefined {
  const servers = field(params, "mcpServers") ?? [];
  return Array.isArray(servers) ? servers : undefined;
}

/** The params with other servers; all else stays as it came. */
export function withServers(params: unknown, mcpServers: readonly unknown[]): Record<string, unknown> {
  return { ...(params as Record<string, unknown> | undefined), mcpServers };
}

/** The params with one server more. Those that are malformed stay as they came: the agent says so. */
export function declare(params: unknown, declaration: McpDeclaration): unknown {
  const servers = declaredServers(params);
  if (servers === undefined || Array.isArray(params)) return params;
  return withServers(params, [...servers, declaration]);
}
