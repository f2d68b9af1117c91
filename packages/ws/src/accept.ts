// What a server decides before a request becomes a WebSocket, the same on every runtime.
import { guard, type GuardOptions } from "@sluice/transport/guard";
import { TransportError, type Transport } from "@sluice/transport";
import { withDefaults, type WsLimits } from "./limits.ts";
import { choose, PROTOCOLS } from "./protocols.ts";
import { refuse } from "./refusal.ts";
import type { WsTransport } from "./ws-transport.ts";

export interface AcceptOptions extends GuardOptions {
  /** Given each new connection's transport, not started, and the request it came with. It throws: the transport aborts. */
  onSession(transport: Transport, request: Request): void;
  /**
   * Asked before the upgrade, after Host and Origin (`hosts`, `origins`) were found right. False is answered 401; a
   * `Response` is sent as it is. It throws: 500.
   */
  authorize?(request: Request): boolean | Response | Promise<boolean | Response>;
  /** Subprotocols spoken, best first. Default `["sluice.v1", "jsonrpc"]`. A client that offers none speaks as `jsonrpc`. */
  readonly protocols?: readonly string[];
  /** permessage-deflate for clients that ask for it; what comes out of it is bounded by `limits.message`. Default false. */
  readonly compression?: boolean;
  /** Connections open at once. Beyond: 503. Default 10,000. */
  readonly connections?: number;
  readonly limits?: Partial<WsLimits>;
}

/** What the runtime knows of a request. */
export interface Arrival {
  readonly request: Request;
  /** All `Host` headers, where the runtime tells. */
  readonly hosts: string | readonly string[] | null;
  /** The address the server listens on. */
  readonly bound: string | undefined;
  /** Default: every path. */
  readonly path?: string | undefined;
}

/** The right to upgrade, with the subprotocol to speak. */
export interface Admission {
  readonly protocol: string | undefined;
}

/** The connections of one server, and who may join them. */
export class Acceptor {
  readonly options: AcceptOptions;
  readonly limits: WsLimits;
  readonly #open: Set<WsTransport> = new Set();
  #state: "open" | "closing" = "open";
  #onEmpty: () => void = () => {};

  constructor(options: AcceptOptions) {
    this.options = options;
    this.limits = withDefaults(options.limits);
  }

  get sessions(): number {
    return this.#open.size;
  }

  /** Judges a request that asks for an upgrade; a Response is the refusal. */
  async admit({ request, hosts, bound, path }: Arrival): Promise<Admission | Response> {
    const { options } = this;
    const refusal = guard({ host: hosts, origin: request.headers.get("origin"), bound }, options);
    if (refusal !== undefined) return refuse(refusal.status, refusal.message);
    if (path !== undefined && new URL(request.url).pathname !== path)
      return refuse(404, "nothing is served at this path");
    // RFC 6455 section 4.2.1: the value is compared without regard to case.
    if (request.headers.get("upgrade")?.toLowerCase() !== "websocket")
      return refuse(426, "this is a WebSocket server", { upgrade: "websocket" });
    // RFC 6455 section 4.4. Not every runtime looks.
    if (request.headers.get("sec-websocket-version") !== "13")
      return refuse(426, "only version 13 of WebSocket is spoken", { "sec-websocket-version": "13" });
    const protocol = choose(request.headers.get("sec-websocket-protocol"), options.protocols ?? PROTOCOLS);
    if (protocol === null)
      return refuse(
        400,
        `no subprotocol in common: this server speaks ${(options.protocols ?? PROTOCOLS).join(", ")}`,
      );
    if (this.#state === "closing" || this.#open.size >= (options.connections ?? 10_000))
      return refuse(503, "no more connections for now", { "retry-after": "5" });
    return (await this.#authorized(request)) ?? { protocol };
  }

  /** An open connection, to be given to the user. */
  joined(transport: WsTransport, request: Request): void {
    this.#open.add(transport);
    if (this.#state === "closing") return transport.goAway("it is closing");
    try {
      this.options.onSession(transport, request);
    } catch (cause) {
      transport.abort(new TransportError("aborted", "onSession threw", { cause }));
    }
  }

  left(transport: WsTransport): void {
    this.#open.delete(transport);
    if (this.#open.size === 0) this.#onEmpty();
  }

  /** Takes no more, closes what is open with 1001, and settles when all are gone. */
  close(reason: string): Promise<void> {
    this.#state = "closing";
    for (const transport of this.#open) transport.goAway(reason);
    if (this.#open.size === 0) return Promise.resolve();
    return new Promise((resolve) => (this.#onEmpty = resolve));
  }

  async #authorized(request: Request): Promise<Response | undefined> {
    try {
      const answer = (await this.options.authorize?.(request)) ?? true;
      if (typeof answer !== "boolean") return answer;
      return answer ? undefined : refuse(401, "not authorized");
    } catch {
      return refuse(500, "the request could not be judged");
    }
  }
}
