// Browsers: dialling alone, with the standard WebSocket.
import type { Transport } from "@sluice/transport";
import { dialWith } from "./dial-standard.ts";
import type { DialOptions } from "./dial-options.ts";
import type { ServeOptions, Server } from "./server.ts";

export type { AcceptOptions } from "./accept.ts";
export type { DialOptions } from "./dial-options.ts";
export { WS_LIMITS, type WsLimits } from "./limits.ts";
export type { ServeOptions, Server } from "./server.ts";

/**
 * As in `node.ts`, without headers. A browser cannot be kept from sending: what comes while the user has paused is held,
 * up to `limits.held`. It sends no pings either: a half-open connection shows by the session's `keepAlive`.
 */
export function dial(url: string | URL, options: DialOptions = {}): Promise<Transport> {
  if (options.headers !== undefined)
    return Promise.reject(
      new TypeError("browsers send no headers with a WebSocket: leave the option headers out"),
    );
  return dialWith(url, options, (to, protocols) => new WebSocket(to, [...protocols]));
}

/** Pages cannot serve. */
export function serve(_options: ServeOptions): Promise<Server> {
  return Promise.reject(new TypeError("a page cannot serve WebSockets: serve on Node, Deno or Bun"));
}
