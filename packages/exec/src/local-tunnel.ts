// https through a proxy: CONNECT (RFC 9110 section 9.3.6), and TLS inside the connection it gives, so that the proxy sees
// neither the request nor its answer. Connections are kept for later requests, by server and proxy.
import http from "node:http";
import https from "node:https";
import { isIP } from "node:net";
import type { Duplex } from "node:stream";
import { connect as secure, type TLSSocket } from "node:tls";
import { callbackify } from "node:util";
import { HttpError } from "./http-error.ts";
import { proxyFailed, type Proxy } from "./local-proxy.ts";

/** What one request wants to be connected to, and how. */
interface Through {
  readonly proxy: Proxy;
  /** https. */
  readonly url: URL;
  /** Aborted: the connection is closed, as long as the request does not have it. */
  readonly signal: AbortSignal;
}

/** To be given with each request of a `TunnelAgent`. */
export interface TunnelOptions extends https.RequestOptions {
  readonly through: Through;
}

export class TunnelAgent extends https.Agent {
  readonly #ca: https.AgentOptions["ca"];

  constructor(options: https.AgentOptions) {
    super(options);
    this.#ca = options.ca;
  }

  override getName(options?: TunnelOptions): string {
    const { url, authorization } = options?.through.proxy ?? {};
    return `${super.getName(options)}:${url?.href}:${authorization}`;
  }

  override createConnection({ through }: TunnelOptions, callback: OnConnection): undefined {
    callbackify(tunnel)(through, this.#ca, callback);
  }
}

export type OnConnection = (error: Error | null, stream: Duplex) => void;

/** @throws HttpError where the proxy gives no connection; what the server's TLS fails with */
async function tunnel(through: Through, ca: https.AgentOptions["ca"]): Promise<TLSSocket> {
  const socket = await connected(through, ca);
  return secured(socket, through, ca);
}

/** A connection to the server, as the proxy passes it on. */
function connected({ proxy, url, signal }: Through, ca: https.AgentOptions["ca"]): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const target = `${url.hostname}:${url.port === "" ? 443 : url.port}`;
    const { authorization, servername } = proxy;
    const { request } = proxy.url.protocol === "https:" ? https : http;
    const asked = request(proxy.url, {
      method: "CONNECT",
      path: target,
      headers: { Host: target, ...(authorization !== undefined && { "Proxy-Authorization": authorization }) },
      agent: false,
      servername,
      ...(ca !== undefined && { ca }),
    });
    const abort = (): void => {
      reject(signal.reason as Error);
      asked.destroy();
    };
    const over = (): void => signal.removeEventListener("abort", abort);
    signal.addEventListener("abort", abort, { once: true });
    asked.on("error", (error) => reject(proxyFailed(error, { mayHaveRun: false })));
    asked.on("connect", ({ statusCode = 0 }, socket) => {
      over();
      if (statusCode >= 200 && statusCode < 300) return resolve(socket);
      socket.destroy();
      reject(refused(statusCode));
    });
    asked.on("close", () => {
      over();
      reject(proxyFailed(new Error("the connection was closed"), { mayHaveRun: false }));
    });
    asked.end();
  });
}

function secured(socket: Duplex, { url, signal }: Through, ca: https.AgentOptions["ca"]): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const host = url.hostname.replace(/^\[|\]$/g, "");
    const server = secure({
      socket,
      host,
      ...(isIP(host) === 0 && { servername: host }),
      ...(ca !== undefined && { ca }),
    });
    const over = (): void => signal.removeEventListener("abort", abort);
    const fail = (error: Error): void => {
      over();
      reject(error);
      server.destroy();
      socket.destroy();
    };
    const abort = (): void => fail(signal.reason as Error);
    signal.addEventListener("abort", abort, { once: true });
    // Both go on being listened to: once the request has the connection, nobody else may hear of the one below.
    socket.on("error", (error) => server.destroy(error));
    server.on("error", fail);
    server.on("close", () => fail(new Error("the connection through the proxy was closed")));
    server.on("secureConnect", () => {
      over();
      resolve(server);
    });
    if (signal.aborted) abort();
  });
}

function refused(status: number): HttpError {
  const why = status === 407 ? ": it wants other credentials" : "";
  return new HttpError("upstream", `http/request failed: its proxy answered CONNECT with ${status}${why}`, {
    mayHaveRun: false,
  });
}
