import type { McpServer } from "@sluice/mcp";
import { serve } from "@sluice/session";
import type { Component } from "@sluice/session/builder";
import { remember, type McpConnection } from "./mcp-connection.ts";

/** Gives what speaks MCP, as a server, with one who connects. */
export type McpConnect = (connection: McpConnection) => Component;

/** An MCP server: one of @sluice/mcp, or a function that gives any other for each connection. */
export type McpSource = McpServer | McpConnect;

/** What answers at `connection`. @throws whatever the function throws */
export function componentOf(source: McpSource, connection: McpConnection): Component {
  if (typeof source === "function") return source(connection);
  return {
    async connectTo(transport) {
      const session = await serve(transport, {
        ...source.options,
        interceptIncoming: [
          ({ context }, next) => {
            if (context !== undefined) remember(context.session, connection);
            return next();
          },
        ],
      });
      await session.closed;
    },
  };
}
