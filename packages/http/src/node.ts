import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import type { ServerRequest } from "srvx";
import { toNodeHandler } from "srvx/node";
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

/**
 * Listens, and serves sessions of either wire under one URL. By default on a free port of `127.0.0.1`, for programs of this
 * machine and pages it has served itself.
 *
 * Rejects where it cannot listen, and with the signal's reason where that is aborted already.
 */
export function serve(options: ServeOptions): Promise<Server> {
  return serveWith(listen, options);
}

function listen({ port, hostname, headTime, fetch }: ListenOptions): Promise<Listener> {
  const onRequest = toNodeHandler(async (request) => {
    const { req, res } = (request as ServerRequest).runtime?.node ?? {};
    const raw = req?.rawHeaders ?? [];
    const hosts = raw.filter((_, at) => at % 2 === 1 && raw[at - 1]?.toLowerCase() === "host");
    const response = await fetch(request, { hosts, peer: req?.socket.remoteAddress });
    // Who is refused may not hold the connection by a body that never ends.
    if (res !== undefined && "shouldKeepAlive" in res && response.status >= 400 && req?.complete !== true)
      res.shouldKeepAlive = false;
    return response;
  }) as RequestListener;
  // A body may last as long as a session; how long it may be silent is the handler's to say.
  const server = createServer({ requestTimeout: 0, headersTimeout: headTime }, onRequest);
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, host: hostname }, () => {
      server.off("error", reject);
      resolve({
        port: (server.address() as AddressInfo).port,
        stop: () => new Promise<void>((stopped) => server.close(() => stopped())),
        cut: () => server.closeAllConnections(),
      });
    });
  });
}
