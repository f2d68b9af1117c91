// Picks for the runtime it runs on, where the package's export conditions did not (JSR knows none). Each file is loaded
// when it is needed: Node's brings the `ws` package, which the others have no use for.
import type { Transport } from "@sluice/transport";
import type { DialOptions } from "./dial-options.ts";
import type { ServeOptions, Server } from "./server.ts";

export type { AcceptOptions } from "./accept.ts";
export type { DialOptions } from "./dial-options.ts";
export { WS_LIMITS, type WsLimits } from "./limits.ts";
export type { ServeOptions, Server } from "./server.ts";

/** Connects to a WebSocket server: see `node.ts`. */
export async function dial(url: string | URL, options: DialOptions = {}): Promise<Transport> {
  return (await runtime()).dial(url, options);
}

/** Starts a server of WebSockets alone: see `node.ts`. */
export async function serve(options: ServeOptions): Promise<Server> {
  return (await runtime()).serve(options);
}

function runtime(): Promise<Pick<typeof import("./browser.ts"), "dial" | "serve">> {
  if ("Bun" in globalThis) return import("./bun.ts");
  if ("Deno" in globalThis) return import("./deno.ts");
  return "process" in globalThis ? import("./node.ts") : import("./browser.ts");
}
