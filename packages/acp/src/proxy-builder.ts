import { Builder, Handled, type ChainMessage } from "@sluice/session/builder";
import type { McpServer } from "@sluice/mcp";
import type { ConnectionToConductor } from "./connection-to-conductor.ts";
import { declare, SESSION_SETUPS } from "./mcp-declaration.ts";
import { MCP_REQUESTS, McpNotification } from "./mcp-methods.ts";
import { mcpNameOf, type McpConnectOptions, type McpProviderOptions } from "./mcp-provided.ts";
import { McpProvider } from "./mcp-provider.ts";
import type { McpConnect, McpSource } from "./mcp-source.ts";
import { peerOf } from "./peer-of.ts";

/** Describes a proxy. */
export class ProxyBuilder extends Builder<ConnectionToConductor> {
  /**
   * Gives an MCP server to the agent in every session that the client sets up: it is declared in the request, which goes on down
   * the chain as it is otherwise, and spoken to over ACP, in whichever revision of `mcp/message` the agent speaks.
   *
   * A function gives what answers at each connection; it needs a `name`. What is past `limits` is answered -33000, and where
   * the server fails without an answer, -33002. Everything of it ends with the connection.
   * @throws TypeError where there is no name
   */
  withMcpServer(server: McpServer, options?: McpProviderOptions): this;
  withMcpServer(connect: McpConnect, options: McpConnectOptions): this;
  withMcpServer(source: McpSource, options: McpProviderOptions = {}): this {
    const client = peerOf(this.role, "Client");
    const agent = peerOf(this.role, "Agent");
    mcpNameOf(source, options);
    const key = {};
    return this.onReceiveRequestFrom(client, SESSION_SETUPS, ({ method, params }, _responder, cx) => {
      const { declaration } = McpProvider.of(cx).once(key, source, options);
      return Handled.no({
        message: { method, params: declare(params, declaration) as ChainMessage["params"] },
      });
    })
      .onReceiveRequestFrom(agent, MCP_REQUESTS, ({ method, params }, responder, cx) =>
        McpProvider.of(cx).request(method, params, responder, cx),
      )
      .onReceiveNotificationFrom(agent, McpNotification, (params, cx) =>
        McpProvider.of(cx).notification(params),
      );
  }
}
