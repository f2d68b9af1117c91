// The errors of MCP over ACP itself. An MCP server's own errors are others: they go through as they are.
import { RpcError } from "@sluice/session";

export const McpErrorCode: {
  /** A bound of `McpProviderLimits` is reached. */
  readonly resourceLimit: -33000;
  /** The server that is meant is not, or no longer, provided on this connection. */
  readonly serverUnavailable: -33001;
  /** The server failed, and not by an answer of MCP's. */
  readonly backendFailed: -33002;
} = { resourceLimit: -33000, serverUnavailable: -33001, backendFailed: -33002 };

export function resourceLimit(limit: string): RpcError {
  return new RpcError(
    McpErrorCode.resourceLimit,
    `limits.${limit} of the MCP server is reached: try again later`,
  );
}

export function serverUnavailable(): RpcError {
  return new RpcError(McpErrorCode.serverUnavailable, "no MCP server of this serverId is provided here");
}

export function backendFailed(): RpcError {
  return new RpcError(McpErrorCode.backendFailed, "the MCP server failed without an answer");
}
