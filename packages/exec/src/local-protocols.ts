import type http from "node:http";
import type { AgentOptions } from "node:https";
import type { Duplex } from "node:stream";
import { readsOf } from "./local-reads.ts";
import type { OnConnection } from "./local-tunnel.ts";
import { ON_NODE } from "./runtime.ts";

/** What makes requests of one scheme, and the connections it keeps for the next ones. */
export interface Protocol {
  readonly request: typeof http.request;
  readonly agent: http.Agent;
}

/** What a connection is to: the server itself, a proxy that is asked in its place, or the server through a proxy's CONNECT. */
export type Way = "server" | "proxy" | "tunnel";

// Deno does not close a connection it has used before when its request is given up (2.9): the server would go on. So
// there each request has a connection of its own.
const AGENT = { keepAlive: !("Deno" in globalThis) };

/**
 * What a client has for each scheme and way, made when first asked for. Connections to a proxy are kept apart from those
 * to servers: which a policy has judged, and that proxy it has not. Disposing of it closes those that are kept.
 */
export class Protocols implements Disposable {
  readonly #secure: AgentOptions;
  readonly #made: Map<string, Promise<Protocol>> = new Map();

  /** @param ca as PEM, in place of the runtime's own */
  constructor(ca: string | readonly string[] | undefined) {
    this.#secure = { ...AGENT, ...(ca !== undefined && { ca: typeof ca === "string" ? ca : [...ca] }) };
  }

  /** @param url of what is connected to */
  of({ protocol }: URL, way: Way): Promise<Protocol> {
    const key = `${way} ${protocol}`;
    let made = this.#made.get(key);
    if (made === undefined) {
      made =
        way === "tunnel" ? tunnelling(this.#secure) : protocol === "https:" ? secure(this.#secure) : plain();
      this.#made.set(key, made);
    }
    return made;
  }

  [Symbol.dispose](): void {
    for (const made of this.#made.values()) void made.then(({ agent }) => agent.destroy());
  }
}

// To import the module would look at each of its members, and one is Node's whole fetch: 16 MiB and 20 ms.
async function plain(): Promise<Protocol> {
  const { Agent, request } = process.getBuiltinModule("node:http");
  if (!ON_NODE) return { request, agent: new Agent(AGENT) };
  class ReadingAgent extends Agent {
    override createConnection(options: http.ClientRequestArgs, done?: OnConnection): Duplex {
      const reading = { ...options, onread: readsOf((came) => socket.push(came)) };
      const socket: Duplex = super.createConnection(reading, done)!;
      return socket;
    }
  }
  return { request, agent: new ReadingAgent(AGENT) };
}

/** Loaded with the first request that needs it: TLS takes some MiB. */
async function secure(options: AgentOptions): Promise<Protocol> {
  const { Agent, request } = await import("node:https");
  return { request, agent: new Agent(options) };
}

async function tunnelling(options: AgentOptions): Promise<Protocol> {
  const { request } = await import("node:https");
  const { TunnelAgent } = await import("./local-tunnel.ts");
  return { request, agent: new TunnelAgent(options) };
}
