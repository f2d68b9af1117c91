import type { HeaderOptions } from "./options.ts";

/** Names of headers, in lower case. */
export interface HeaderNames {
  readonly session: string;
  readonly version: string;
}

export function headerNames(options: HeaderOptions): HeaderNames {
  return {
    session: (options.sessionHeader ?? "Mcp-Session-Id").toLowerCase(),
    version: (options.versionHeader ?? "MCP-Protocol-Version").toLowerCase(),
  };
}
