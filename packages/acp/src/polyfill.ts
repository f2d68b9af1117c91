// A proxy to be placed directly before an agent that takes MCP servers over HTTP and not over ACP. The client is told that it
// takes them over ACP; those that are declared so are given to the agent as HTTP servers of this machine, and what it says to
// them goes over ACP. An agent that takes them over ACP is left alone.
import { ErrorCode, RpcError } from "@sluice/session";
import { field, Handled, request, type ConnectionTo } from "@sluice/session/builder";
import { declaredServers, isMcpDeclaration, SESSION_SETUPS, withServers } from "./mcp-declaration.ts";
import { McpConsumer } from "./mcp-consumer.ts";
import { PolyfillEndpoints, type ServeMcp } from "./polyfill-endpoints.ts";
import type { ProxyBuilder } from "./proxy-builder.ts";
import { Agent, Client, Proxy } from "./roles.ts";

export type { ServeMcp } from "./polyfill-endpoints.ts";

export interface PolyfillOptions {
  /** What listens: `serve` of @sluice/http. */
  readonly serve: ServeMcp;
}

/** `native`: the agent takes servers over ACP. `http`: over HTTP. `none`: neither. */
type Support = "native" | "http" | "none";

const Initialize = request("initialize");

/**
 * A proxy that makes MCP servers over ACP work with an agent that knows them over HTTP alone. Each gets a URL of 127.0.0.1
 * and a bearer token of its own, the same in all sessions of a connection; everything of it ends with the connection. Where the
 * agent takes neither, a session with such a server is refused with -32602.
 */
export function mcpOverAcpPolyfill({ serve }: PolyfillOptions): ProxyBuilder {
  const supports = new WeakMap<object, Support>();
  const endpoints = new WeakMap<object, PolyfillEndpoints>();
  const endpointsOf = (cx: ConnectionTo): PolyfillEndpoints => {
    const found = endpoints.get(cx.connection);
    if (found !== undefined) return found;
    const made = new PolyfillEndpoints(cx, serve);
    endpoints.set(cx.connection, made);
    return made;
  };
  return Proxy.builder()
    .name("mcp-over-acp-polyfill")
    .onReceiveRequestFrom(Client, Initialize, (params, responder, cx) => {
      cx.sendRequestTo(Agent, Initialize, params).onReceivingOkResult(responder, (result, answer) => {
        const support = supportOf(result);
        supports.set(cx.connection, support);
        if (support === "http") McpConsumer.of(cx); // answers what servers say to nobody
        answer.respond(support === "http" ? withAcp(result) : result);
      });
    })
    .onReceiveRequestFrom(Client, SESSION_SETUPS, async ({ method, params }, _responder, cx) => {
      const support = supports.get(cx.connection) ?? "native";
      const servers = declaredServers(params);
      if (support === "native" || servers?.some(isAcp) !== true) return Handled.no();
      if (support === "none") throw refused("the agent takes MCP servers neither over ACP nor over HTTP");
      const all = endpointsOf(cx);
      const given: unknown[] = [];
      for (const server of servers) {
        if (isAcp(server) && !isMcpDeclaration(server))
          throw refused("an MCP server over ACP has a name and a serverId");
        given.push(isMcpDeclaration(server) ? await all.declarationOf(server) : server);
      }
      return Handled.no({
        message: { method, params: withServers(params, given) },
      });
    });
}

function isAcp(server: unknown): boolean {
  return field(server, "type") === "acp";
}

/** What the agent's answer to `initialize` says: of ACP's first version, or its second. */
function supportOf(result: unknown): Support {
  const transports = [
    field(field(result, "agentCapabilities"), "mcpCapabilities"),
    field(field(field(result, "capabilities"), "session"), "mcp"),
  ];
  const has = (name: string): boolean => transports.some((one) => (field(one, name) ?? false) !== false);
  if (has("acp")) return "native";
  return has("http") ? "http" : "none";
}

function withAcp(result: unknown): unknown {
  const { agentCapabilities, capabilities } = result as Record<string, Record<string, unknown>>;
  const session = field(capabilities, "session");
  return {
    ...(result as object),
    ...(agentCapabilities !== undefined && {
      agentCapabilities: {
        ...agentCapabilities,
        mcpCapabilities: { ...(agentCapabilities["mcpCapabilities"] as object), acp: true },
      },
    }),
    ...(session !== undefined && {
      capabilities: {
        ...capabilities,
        session: { ...session, mcp: { ...(field(session, "mcp") as object), acp: {} } },
      },
    }),
  };
}

function refused(why: string): RpcError {
  return new RpcError(ErrorCode.invalidParams, `session setup: ${why}`);
}
