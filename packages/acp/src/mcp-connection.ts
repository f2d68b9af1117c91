import type { Session } from "@sluice/session";
import type { ConnectionTo } from "@sluice/session/builder";

/** Where an MCP server is spoken to over ACP. */
export interface McpConnection {
  readonly serverId: string;
  /** Undefined where the agent speaks the revision that has no connections: then this is for one request. */
  readonly connectionId: string | undefined;
  /** The ACP connection that the server is provided on. Its peers may be called: the agent, and in a proxy the client. */
  readonly acp: ConnectionTo;
}

const connections = new WeakMap<Session, McpConnection>();

export function remember(session: Session, connection: McpConnection): void {
  connections.set(session, connection);
}

/**
 * Where a tool, a resource or a prompt of @sluice/mcp is used, by the context it is given. Undefined where the server is spoken
 * to otherwise, such as over stdio.
 */
export function mcpConnectionOf(context: { readonly session: Session }): McpConnection | undefined {
  return connections.get(context.session);
}
