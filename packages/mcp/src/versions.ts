/** The versions of MCP that the server here speaks, the latest first. */
export const MCP_VERSIONS: readonly string[] = ["2025-11-25", "2025-06-18"];

/** What a server answers to a client that speaks `asked` (MCP "Version Negotiation"): that, or the latest of ours. */
export function settledVersion(asked: string): string {
  return MCP_VERSIONS.includes(asked) ? asked : MCP_VERSIONS[0]!;
}
