/** The versions of MCP that speak over one URL, and those before it that clients of both may name. */
export const MCP_VERSIONS: readonly string[] = [
  "2025-11-25",
  "2025-06-18",
  "2025-03-26",
  "2024-11-05",
  "2024-10-07",
];

/** Whether a client knows events without data, which tell it where to go on before there is anything to say. */
export function knowsPriming(version: string): boolean {
  return MCP_VERSIONS.includes(version) && version >= "2025-11-25";
}
