// The declared servers of one ACP connection as HTTP servers of this machine: one that listens, on a free port, begun with the
// first; for each server a path, and a token without which nobody is answered. Both stay the same as long as the connection.
import { RpcError } from "@sluice/session";
import type { ConnectionTo } from "@sluice/session/builder";
import type { Transport } from "@sluice/transport";
import type { McpDeclaration } from "./mcp-declaration.ts";
import { McpErrorCode } from "./mcp-error.ts";
import { joinMcp } from "./mcp-over-acp.ts";

/**
 * Listens on a free port of 127.0.0.1 and speaks MCP's Streamable HTTP, one transport for each session: `serve` of
 * @sluice/http. A request that `authorize` does not pass is answered 401.
 */
export type ServeMcp = (options: {
  onSession(transport: Transport, request: Request): void;
  authorize(request: Request): boolean;
}) => Promise<{ readonly url: string; close(reason?: string): Promise<void> }>;

/** Servers of one ACP connection. Beyond, a session that declares another is answered -33000. */
const ENDPOINTS = 1024;

interface Endpoint {
  readonly serverId: string;
  readonly path: string;
  readonly token: string;
}

export class PolyfillEndpoints {
  readonly #cx: ConnectionTo;
  readonly #serve: ServeMcp;
  readonly #byServer: Map<string, Endpoint> = new Map();
  readonly #byPath: Map<string, Endpoint> = new Map();
  #listening: ReturnType<ServeMcp> | undefined;

  constructor(cx: ConnectionTo, serve: ServeMcp) {
    this.#cx = cx;
    this.#serve = serve;
  }

  /** The server as one that is reached over HTTP; all else of its declaration stays. Rejects where nothing can listen. */
  async declarationOf({ serverId, ...rest }: McpDeclaration): Promise<Record<string, unknown>> {
    const { path, token } = this.#endpointOf(serverId);
    const { url } = await this.#listen();
    const headers = [{ name: "Authorization", value: `Bearer ${token}` }];
    return { ...rest, type: "http", url: new URL(path, url).href, headers };
  }

  #endpointOf(serverId: string): Endpoint {
    const found = this.#byServer.get(serverId);
    if (found !== undefined) return found;
    if (this.#byServer.size >= ENDPOINTS)
      throw new RpcError(
        McpErrorCode.resourceLimit,
        `a connection has at most ${ENDPOINTS} MCP servers over HTTP`,
      );
    const endpoint = { serverId, path: `/${crypto.randomUUID()}`, token: secret() };
    this.#byServer.set(serverId, endpoint);
    this.#byPath.set(endpoint.path, endpoint);
    return endpoint;
  }

  #of(request: Request): Endpoint | undefined {
    return this.#byPath.get(new URL(request.url).pathname);
  }

  #listen(): ReturnType<ServeMcp> {
    const { signal } = this.#cx;
    this.#listening ??= this.#serve({
      authorize: (request) => {
        const endpoint = this.#of(request);
        const given = request.headers.get("authorization") ?? "";
        return endpoint !== undefined && isSame(given, `Bearer ${endpoint.token}`);
      },
      onSession: (transport, request) => void joinMcp(this.#cx, this.#of(request)!.serverId, transport),
    }).then(
      (server) => {
        const close = (): void => void server.close("the ACP connection is over");
        if (signal.aborted) close();
        else signal.addEventListener("abort", close, { once: true });
        return server;
      },
      (cause: unknown) => {
        this.#listening = undefined; // the next session tries again
        throw cause;
      },
    );
    return this.#listening;
  }
}

function secret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** In a time that does not tell where they differ. */
function isSame(given: string, wanted: string): boolean {
  let difference = given.length ^ wanted.length;
  for (let i = 0; i < wanted.length; i++) difference |= (given.charCodeAt(i) || 0) ^ wanted.charCodeAt(i);
  return difference === 0;
}
