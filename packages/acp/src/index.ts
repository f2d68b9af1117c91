// The Agent Client Protocol. Each of its definitions is a type and a value of one name: a request's or a notification's value
// is its descriptor, any other's its schema.
export * from "./generated/v1.ts";
export * from "./generated/v1-methods.ts";
export type { NotificationType, RequestType } from "./descriptor.ts";
export {
  AcpErrorCode,
  authRequired,
  internalError,
  invalidParams,
  invalidRequest,
  methodNotFound,
  parseError,
  requestCancelled,
  resourceNotFound,
  sessionNotFound,
  unsupportedProtocolVersion,
} from "./error-code.ts";
export { MetaCapability } from "./meta-capability.ts";
export type { HasMeta } from "./meta-capability.ts";
export type { Schema } from "./schema.ts";
export type { Unlisted } from "./unlisted.ts";

// Who is who, and what they hold of each other.
export { Agent, Client, Conductor as ConductorRole, Proxy, Untyped } from "./roles.ts";
export { ConnectionToAgent } from "./connection-to-agent.ts";
export { ConnectionToConductor } from "./connection-to-conductor.ts";
export { ProxyBuilder } from "./proxy-builder.ts";
export { SessionBuilder } from "./session-builder.ts";
export type { Replay, SessionSetup } from "./session-builder.ts";
export { ActiveSession } from "./active-session.ts";
export type { ReadOptions, SessionMessage, SessionResponse } from "./active-session.ts";
export { textOf, Turn } from "./turn.ts";

// Chains.
export { Conductor } from "./conductor.ts";
export type { ConductorOptions, Instantiate, Parts } from "./conductor.ts";
export type { Part } from "./chain.ts";
export type { Trace, TraceEvent } from "./trace.ts";
export { unwrap, wrap } from "./successor.ts";
export type { Spelling } from "./successor.ts";

// Between two Sluice ends.
export { ReadFileRequest, streams, TerminalStreamRequest, WriteFileRequest } from "./streams.ts";
export type { ReadFileResponse, TerminalStreamResponse } from "./streams.ts";

// MCP over ACP.
export { mcpOverAcp } from "./mcp-over-acp.ts";
export type { McpOverAcpOptions } from "./mcp-over-acp.ts";
export { mcpConnectionOf } from "./mcp-connection.ts";
export type { McpConnection } from "./mcp-connection.ts";
export { mcpDeclarations } from "./mcp-declaration.ts";
export type { McpDeclaration } from "./mcp-declaration.ts";
export { McpErrorCode } from "./mcp-error.ts";
export { MCP_PROVIDER_LIMITS } from "./mcp-limits.ts";
export type { McpProviderLimits } from "./mcp-limits.ts";
export type { McpRevision } from "./mcp-methods.ts";
export type { McpConnectOptions, McpProviderOptions } from "./mcp-provided.ts";
export type { McpConnect, McpSource } from "./mcp-source.ts";
export { mcpOverAcpPolyfill } from "./polyfill.ts";
export type { PolyfillOptions, ServeMcp } from "./polyfill.ts";
