import { serveWith, type Listener, type ListenOptions } from "./listen.ts";
import type { ServeOptions, Server } from "./options.ts";

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

/** What we use of Deno. */
declare const Deno: {
  serve(
    options: { port: number; hostname: string; signal: AbortSignal; onListen: () => void },
    handle: (request: Request, info: { remoteAddr: { hostname: string } }) => Promise<Response>,
  ): {
    readonly addr: { readonly port: number };
    readonly finished: Promise<void>;
    shutdown(): Promise<void>;
  };
};

/** As in `node.ts`. Deno has no bound on how slowly a request's head may come: put a proxy before it where that matters. */
export function serve(options: ServeOptions): Promise<Server> {
  return serveWith(listen, options);
}

async function listen({ port, hostname, fetch }: ListenOptions): Promise<Listener> {
  const cutting = new AbortController();
  const server = Deno.serve(
    { port, hostname, signal: cutting.signal, onListen: () => {} },
    (request, { remoteAddr }) => {
      const host = request.headers.get("host");
      return fetch(request, { peer: remoteAddr.hostname, hosts: host === null ? [] : [host] });
    },
  );
  return {
    port: server.addr.port,
    stop: async () => {
      await Promise.race([server.shutdown(), server.finished]);
    },
    cut: () => cutting.abort(),
  };
}
