import { dial, serve, type DialOptions, type ServeOptions, type Server } from "@sluice/ws";
import type { Transport } from "@sluice/transport";
import { asText, type Pair } from "@sluice/transport/compliance";

/** A server that listens, and its end of each connection in the order they were opened. */
export interface Served extends AsyncDisposable {
  readonly server: Server;
  /** The next connection's transport at the server, not started. */
  accepted(): Promise<Transport>;
}

export async function served(options: Partial<ServeOptions> = {}): Promise<Served> {
  const queue = new Queue<Transport>();
  const server = await serve({ onSession: (transport) => queue.push(transport), ...options });
  return { server, accepted: () => queue.next(), [Symbol.asyncDispose]: () => server.close() };
}

/** Both ends of one connection, neither started. */
export interface Joined extends Served {
  /** Who dialled. */
  readonly near: Transport;
  /** The server's end. */
  readonly far: Transport;
}

export async function joined(
  dialling: DialOptions = {},
  serving: Partial<ServeOptions> = {},
): Promise<Joined> {
  const all = await served(serving);
  const near = await dial(all.server.url, dialling);
  const far = await all.accepted();
  const dispose = async (): Promise<void> => {
    near.abort();
    far.abort();
    await all.server.close();
  };
  return { ...all, near, far, [Symbol.asyncDispose]: dispose };
}

/** Whether a paused end holds its sender back: not where the runtime's own WebSocket cannot be paused. */
export const HOLDS_BACK: boolean = !("Deno" in globalThis || "Bun" in globalThis);

/** Both ends as the compliance kit wants them; `left` is the server's. */
export async function pair(protocols: readonly string[], content: "any" | "text" = "any"): Promise<Pair> {
  const both = await joined({ protocols });
  return {
    // Both in the role that waits: no request has to open a WebSocket's session.
    left: content === "text" ? asText(both.far, "acceptor") : both.far,
    right: content === "text" ? asText(both.near, "acceptor") : both.near,
    holdsBack: HOLDS_BACK,
    halfCloses: protocols.includes("sluice.v1"),
    dispose: async () => both[Symbol.asyncDispose](),
  };
}

/** What comes later than it is asked for. */
export class Queue<T> {
  readonly #items: T[] = [];
  readonly #waiting: ((item: T) => void)[] = [];

  push(item: T): void {
    const first = this.#waiting.shift();
    if (first === undefined) this.#items.push(item);
    else first(item);
  }

  next(): Promise<T> {
    const item = this.#items.shift();
    return item === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(item);
  }
}
