// The bounds of MCP over ACP, for each server on each ACP connection.

export interface McpProviderLimits {
  /** Requests of the agent's without an answer. Beyond: answered -33000. Default 64. */
  readonly active: number;
  /** Connections at a time. Beyond: answered -33000. Default 64. */
  readonly connections: number;
  /** Notifications of one connection that its server has not taken. Beyond: the connection ends. Default 128. */
  readonly queued: number;
}

export const MCP_PROVIDER_LIMITS: McpProviderLimits = { active: 64, connections: 64, queued: 128 };
