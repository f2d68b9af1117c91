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

/** Rejects: a browser cannot listen. `handler` serves what comes by other ways, such as a service worker's requests. */
export function serve(_options: ServeOptions): Promise<Server> {
  return Promise.reject(
    new TypeError("serve: a browser cannot listen; use it on Node, Deno or Bun, or handler"),
  );
}
