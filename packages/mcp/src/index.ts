// For programs that speak with MCP servers, over HTTP that anybody makes for them.
export { StreamableHttp } from "./streamable-http.ts";
export type { SendOptions, StreamableHttpOptions } from "./streamable-http.ts";
export { mcpTransport } from "./mcp-transport.ts";
export { McpError } from "./mcp-error.ts";
export type { McpErrorKind } from "./mcp-error.ts";
export { parseChallenges } from "./challenge.ts";
export type { Challenge } from "./challenge.ts";
export type { Clock } from "./clock.ts";
export type { HeaderSource, TokenSource } from "./headers.ts";
export { MCP_LIMITS } from "./limits.ts";
export type { McpLimits } from "./limits.ts";
export type { JsonRpcMessage, RequestId } from "./message.ts";

// For programs that are MCP servers.
export { mcpServer } from "./mcp-server.ts";
export type { McpServer, McpServerOptions } from "./mcp-server.ts";
export { tool } from "./tool.ts";
export type { Tool, ToolDefinition, ToolOutput, ToolResult } from "./tool.ts";
export type { Resource, ResourceOutput } from "./resource.ts";
export type { Prompt, PromptArgument, PromptMessage, PromptOutput } from "./prompt.ts";
export type { Content, ResourceContents } from "./content.ts";
export type { ClientInfo, ClientPeer } from "./client-peer.ts";
export type { ProgressOptions, RequestContext } from "./request-context.ts";
export type { Catalog, Page } from "./catalog.ts";
export type { JsonSchema } from "./json-schema.ts";
export type { LogLevel } from "./log-level.ts";
export { MCP_VERSIONS } from "./versions.ts";
