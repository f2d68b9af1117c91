// Bun, with its own WebSocket on both sides.
import type { Transport } from "@sluice/transport";
import { Acceptor, type AcceptOptions } from "./accept.ts";
import { handlers, type ConnectionData, type WebSocketHandlers } from "./bun-socket.ts";
import { dialWith } from "./dial-standard.ts";
import type { DialOptions } from "./dial-options.ts";
import { refuse } from "./refusal.ts";
import { serverOf, type ServeOptions, type Server } from "./server.ts";
import type { MoreAbilities } from "./standard-socket.ts";

export type { AcceptOptions } from "./accept.ts";
export type { WebSocketHandlers } from "./bun-socket.ts";
export type { DialOptions } from "./dial-options.ts";
export { WS_LIMITS, type WsLimits } from "./limits.ts";
export type { ServeOptions, Server } from "./server.ts";

/** What is used of a server of Bun's. */
export interface BunServer {
  readonly port?: number | undefined;
  readonly hostname?: string | undefined;
  upgrade(request: Request, options: { data: unknown; headers?: Record<string, string> }): boolean;
  stop(closeActiveConnections?: boolean): Promise<void>;
}
interface BunNamespace {
  serve(options: {
    readonly port: number;
    readonly hostname: string;
    readonly tls?: { readonly cert: string; readonly key: string };
    readonly fetch: (request: Request, server: BunServer) => Promise<Response | undefined>;
    readonly websocket: WebSocketHandlers;
  }): BunServer;
}
declare const Bun: BunNamespace;

/** As in `node.ts`. */
export function dial(url: string | URL, options: DialOptions = {}): Promise<Transport> {
  return dialWith(url, options, (to, protocols) => {
    const Constructor = WebSocket as unknown as new (url: URL, options: object) => WebSocket & MoreAbilities;
    const headers = options.headers ?? {};
    return new Constructor(to, { protocols: [...protocols], headers, perMessageDeflate: false });
  });
}

/** What plugs into a `Bun.serve` that the user has. */
export interface Accepting {
  /** Answers a request that asks for an upgrade; undefined where it became a WebSocket, as Bun's `fetch` wants it. */
  fetch(request: Request, server: BunServer): Promise<Response | undefined>;
  /** Bun's `websocket` option. */
  readonly websocket: WebSocketHandlers;
}

/** Accepts WebSockets on a server of Bun's that the user has. */
export function acceptor(options: AcceptOptions): Accepting {
  return accepting(new Acceptor(options), options, undefined);
}

function accepting(acceptor: Acceptor, options: AcceptOptions, path: string | undefined): Accepting {
  return {
    websocket: handlers(acceptor.limits, options.compression === true),
    async fetch(request, server) {
      const hosts = request.headers.get("host");
      const admission = await acceptor.admit({ request, hosts, bound: server.hostname, path });
      if (admission instanceof Response) return admission;
      const { protocol } = admission;
      const data: ConnectionData = { acceptor, protocol, request };
      const headers = protocol === undefined ? undefined : { "sec-websocket-protocol": protocol };
      if (server.upgrade(request, { data, ...(headers && { headers }) })) return undefined;
      return refuse(400, "malformed WebSocket handshake");
    },
  };
}

/** As in `node.ts`. */
export async function serve(options: ServeOptions): Promise<Server> {
  const connections = new Acceptor(options);
  const hostname = options.hostname ?? "127.0.0.1";
  const server = Bun.serve({
    port: options.port ?? 0,
    hostname,
    ...(options.tls && { tls: options.tls }),
    ...accepting(connections, options, options.path),
  });
  return serverOf(
    options,
    { hostname, port: server.port! },
    () => connections.sessions,
    async (reason) => {
      const stopped = server.stop();
      await connections.close(reason);
      await Promise.all([stopped, server.stop(true)]);
    },
  );
}
