// All MCP servers that are provided on one ACP connection, and whom a message of the agent's is for. What is for none of them
// goes on: in a proxy to who is before it; in a client, where nobody else is, it is answered.
import { ErrorCode } from "@sluice/codec";
import { RpcError } from "@sluice/session";
import {
  Handled,
  messageOf,
  type ConnectionTo,
  type Dispatch,
  type Responder,
  type Role,
} from "@sluice/session/builder";
import type { ConnectionToAgent } from "./connection-to-agent.ts";
import { serverUnavailable } from "./mcp-error.ts";
import { addressOf, innerOf, McpConnect, McpDisconnect, McpMessage, type McpAddress } from "./mcp-methods.ts";
import { ProvidedServer, type McpProviderOptions } from "./mcp-provided.ts";
import type { McpSource } from "./mcp-source.ts";

const providers = new WeakMap<object, McpProvider>();

export class McpProvider {
  readonly #agent: Role;
  /** Whether somebody before us may provide what we do not. */
  readonly #place: "end" | "between";
  readonly #servers: Map<string, ProvidedServer> = new Map();
  readonly #once: Map<object, ProvidedServer> = new Map();
  #attached: "no" | "yes" = "no";

  private constructor(cx: ConnectionToAgent) {
    this.#agent = cx.agent;
    this.#place = cx.counterpart === cx.agent ? "end" : "between";
  }

  /** That of a connection. */
  static of(cx: ConnectionToAgent): McpProvider {
    const found = providers.get(cx.connection);
    if (found !== undefined) return found;
    const provider = new McpProvider(cx);
    providers.set(cx.connection, provider);
    cx.signal.addEventListener("abort", () => provider.#close(), { once: true });
    return provider;
  }

  /** Provides a server. @throws TypeError where its serverId is another's on this connection */
  add(source: McpSource, options: McpProviderOptions): ProvidedServer {
    const server = new ProvidedServer(source, options, this.#agent);
    const { serverId } = server.declaration;
    if (this.#servers.has(serverId))
      throw new TypeError("another MCP server of this connection has this serverId: each has its own");
    this.#servers.set(serverId, server);
    return server;
  }

  /** The one server of `key`, made when first asked for. */
  once(key: object, source: McpSource, options: McpProviderOptions): ProvidedServer {
    let server = this.#once.get(key);
    if (server === undefined) this.#once.set(key, (server = this.add(source, options)));
    return server;
  }

  remove(server: ProvidedServer): void {
    this.#servers.delete(server.declaration.serverId);
    server.close();
  }

  /** Hears of what is asked, where no handler of the builder's tells it. */
  attach(cx: ConnectionTo): void {
    if (this.#attached === "yes") return;
    this.#attached = "yes";
    cx.addDynamicHandler((dispatch, now) => this.#handle(dispatch, now)).detach();
  }

  request(method: string, params: unknown, responder: Responder, cx: ConnectionTo): Handled | void {
    const address = addressOf(params);
    const server = this.#serverOf(address);
    if (address === undefined || server === undefined) return this.#unknown(address);
    responder.keep();
    // Beside the connection: what a tool waits for holds none of its handlers, and lets none go.
    cx.spawn(() => serve(server, address, { method, params, responder, cx }), {
      onError: (error) => {
        if (!responder.isSettled) responder.respondWithError(error);
      },
    });
  }

  notification(params: unknown): Handled | void {
    const address = addressOf(params);
    const server = this.#serverOf(address);
    if (address?.to === "connection" && server !== undefined)
      return server.notify(address.connectionId, innerOf(params));
    return this.#place === "end" ? undefined : Handled.no();
  }

  #serverOf(address: McpAddress | undefined): ProvidedServer | undefined {
    if (address?.to === "server") return this.#servers.get(address.serverId);
    if (address?.to !== "connection") return undefined;
    return [...this.#servers.values()].find((server) => server.has(address.connectionId));
  }

  #unknown(address: McpAddress | undefined): Handled {
    if (this.#place === "between") return Handled.no();
    if (address?.to === "server") throw serverUnavailable();
    throw new RpcError(ErrorCode.invalidParams, "no MCP connection of this connectionId is open here");
  }

  #handle(dispatch: Dispatch, cx: ConnectionTo): Handled | void {
    if (dispatch.kind === "response") return Handled.no();
    const message = cx.role.styleOf(this.#agent).incoming(messageOf(dispatch));
    if (message === undefined || !METHODS.has(message.method)) return Handled.no();
    if (dispatch.kind === "request")
      return this.request(message.method, message.params, dispatch.responder, cx);
    return message.method === McpMessage.method ? this.notification(message.params) : Handled.no();
  }

  #close(): void {
    for (const server of this.#servers.values()) server.close();
    this.#servers.clear();
    this.#once.clear();
  }
}

const METHODS: ReadonlySet<string> = new Set([McpConnect.method, McpMessage.method, McpDisconnect.method]);

interface Asked {
  readonly method: string;
  readonly params: unknown;
  readonly responder: Responder;
  readonly cx: ConnectionTo;
}

function serve(server: ProvidedServer, address: McpAddress, asked: Asked): void {
  const { method, params, responder, cx } = asked;
  if (address.to === "connection") {
    const { connectionId } = address;
    if (method === McpMessage.method) return server.ask(connectionId, innerOf(params), responder);
    if (method === McpDisconnect.method) return server.disconnect(connectionId, responder);
  } else {
    if (method === McpConnect.method) return server.connect(responder, cx);
    if (method === McpMessage.method)
      return server.askAlone(address.requestId, innerOf(params), responder, cx);
  }
  throw new RpcError(ErrorCode.invalidParams, `${method}: it is not addressed as it should be`);
}
