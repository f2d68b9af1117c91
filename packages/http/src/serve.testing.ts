import type { Transport } from "@sluice/transport";
import type { Pair } from "@sluice/transport/compliance";
import { dial } from "./dial.ts";
import type { DialOptions, ServeOptions, Server } from "./options.ts";
import { connected, Queue } from "./pairs.testing.ts";

/** `serve` of the runtime these tests run on. */
const runtime = (await import(
  "Deno" in globalThis ? "./deno.ts" : "Bun" in globalThis ? "./bun.ts" : "./node.ts"
)) as typeof import("./node.ts");
export const serve: (options: ServeOptions) => Promise<Server> = runtime.serve;

/** A server that listens, and its end of each session in the order they were opened. */
export interface Served extends AsyncDisposable {
  readonly server: Server;
  accepted(): Promise<Transport>;
}

export async function served(options: Partial<ServeOptions> = {}): Promise<Served> {
  const queue = new Queue<Transport>();
  const server = await serve({ onSession: (transport) => queue.push(transport), ...options });
  return { server, accepted: () => queue.next(), [Symbol.asyncDispose]: () => server.close() };
}

/** Both ends of a session over a socket; neither end is started. */
export async function socketPair(options: DialOptions, serveOptions?: Partial<ServeOptions>): Promise<Pair> {
  const { server, accepted } = await served(serveOptions);
  const left = connected(dial(server.url, options));
  return { left, right: await accepted(), dispose: () => server.close() };
}
