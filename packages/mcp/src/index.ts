// For programs that speak with MCP servers, over HTTP that anybody makes for them.
export { StreamableHttp } from "./streamable-http.ts";
export type { SendOptions, StreamableHttpOptions } from "./streamable-http.ts";
export { McpError } from "./mcp-error.ts";
export type { McpErrorKind } from "./mcp-error.ts";
export { parseChallenges } from "./challenge.ts";
export type { Challenge } from "./challenge.ts";
export type { Clock } from "./clock.ts";
export type { HeaderSource, TokenSource } from "./headers.ts";
export { MCP_LIMITS } from "./limits.ts";
export type { McpLimits } from "./limits.ts";
export type { JsonRpcMessage, RequestId } from "./message.ts";
export { mcpTransport } from "./mcp-transport.ts";
