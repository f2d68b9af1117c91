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
    handle: (
      request: Request,
      info: { readonly remoteAddr: { readonly hostname: string }; readonly completed: Promise<void> },
    ) => Promise<Response>,
  ): {
    readonly addr: { readonly port: number };
    readonly finished: Promise<void>;
  };
};

/**
 * As in `node.ts`. Deno has no bound on how slowly a request's head may come, and keeps the connection of a body that was refused
 * until its client closes it: put a proxy before it where that matters.
 */
export function serve(options: ServeOptions): Promise<Server> {
  return serveWith(listen, options);
}

async function listen({ port, hostname, fetch }: ListenOptions): Promise<Listener> {
  const closing = new AbortController();
  let underWay = 0;
  let onQuiet = (): void => {};
  const over = (): void => void (--underWay === 0 && onQuiet());
  const server = Deno.serve(
    { port, hostname, signal: closing.signal, onListen: () => {} },
    (request, { remoteAddr, completed }) => {
      underWay++;
      completed.then(over, over);
      const host = request.headers.get("host");
      return fetch(request, { peer: remoteAddr.hostname, hosts: host === null ? [] : [host] });
    },
  );
  return {
    port: server.addr.port,
    // Not by `shutdown`: once that was called nothing can cut the connections that are left (Deno 2.9).
    async stop() {
      const quiet = new Promise<void>((resolve) => (onQuiet = resolve));
      if (underWay > 0) await Promise.race([quiet, server.finished]);
      closing.abort();
      await server.finished;
    },
    cut: () => closing.abort(),
  };
}
