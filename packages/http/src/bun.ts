import { serveWith, type Listener, type ListenOptions } from "./listen.ts";
import type { ServeOptions, Server } from "./options.ts";
import { withOwnHeaders } from "./own-headers.ts";

export { dial } from "./dial.ts";
export { memoryEventStore } from "./event-store.ts";
export type { EventStore, EventStoreLimits, KeptEvent } from "./event-store.ts";
export { handler } from "./handler.ts";
export type { DialLimits, HttpLimits } from "./limits.ts";
export type {
  DialOptions,
  Fetch,
  Handler,
  HandlerOptions,
  HeaderOptions,
  McpServerOptions,
  RequestInfo,
  ServeOptions,
  Server,
} from "./options.ts";

/** What we use of Bun. */
interface BunServer {
  readonly port: number;
  requestIP(request: Request): { readonly address: string } | null;
  stop(closeActive: boolean): Promise<void>;
}
declare const Bun: {
  serve(options: {
    port: number;
    hostname: string;
    idleTimeout: number;
    maxRequestBodySize: number;
    development: boolean;
    reusePort: boolean;
    fetch(request: Request, server: BunServer): Promise<Response>;
  }): BunServer;
};

/** As in `node.ts`. */
export function serve(options: ServeOptions): Promise<Server> {
  return serveWith(listen, options);
}

async function listen({ port, hostname, fetch }: ListenOptions): Promise<Listener> {
  const server = Bun.serve({
    port,
    hostname,
    // Ends every quiet response, and a response may last as long as a session: the handler has its own bounds.
    idleTimeout: 0,
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    development: false,
    // Without `development` it is true, and a port that is taken is shared (Bun 1.4).
    reusePort: false,
    async fetch(request, self) {
      const host = request.headers.get("host");
      const info = { peer: self.requestIP(request)?.address, hosts: host === null ? [] : [host] };
      const response = await fetch(request, info);
      // Who is refused may not hold the connection by a body that never ends.
      if (response.status < 400 || request.body === null) return response;
      const last = withOwnHeaders(response);
      last.headers.set("Connection", "close");
      return last;
    },
  });
  return {
    port: server.port,
    stop: () => server.stop(false),
    cut: () => void server.stop(true),
  };
}
