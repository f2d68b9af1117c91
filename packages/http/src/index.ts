// Picks for the runtime it runs on, where the package's export conditions did not (JSR knows none). What listens is
// loaded when it is needed: Node's brings srvx, which the others have no use for.
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

/** Listens, and serves sessions of either wire under one URL: see `node.ts`. */
export async function serve(options: ServeOptions): Promise<Server> {
  return (await runtime()).serve(options);
}

function runtime(): Promise<Pick<typeof import("./browser.ts"), "serve">> {
  if ("Bun" in globalThis) return import("./bun.ts");
  if ("Deno" in globalThis) return import("./deno.ts");
  return "process" in globalThis ? import("./node.ts") : import("./browser.ts");
}
