// Node, with the `ws` package on both sides.
import type { IncomingMessage, ServerOptions as HttpOptions, ServerResponse } from "node:http";
import type { AddressInfo, Server as NetServer } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import { Acceptor, type AcceptOptions } from "./accept.ts";
import { withDefaults, WS_LIMITS, type WsLimits } from "./limits.ts";
import { listen, NodeSocket } from "./node-socket.ts";
import { refuse } from "./refusal.ts";
import { serverOf, type ServeOptions, type Server } from "./server.ts";
import { WsTransport } from "./ws-transport.ts";

export type { AcceptOptions } from "./accept.ts";
export { dial } from "./dial-node.ts";
export type { DialOptions } from "./dial-options.ts";
export { WS_LIMITS, type WsLimits };
export type { ServeOptions, Server } from "./server.ts";

export interface AttachOptions extends AcceptOptions {
  /** The only path that is served; requests for others are left to the server's other listeners. Default: all. */
  readonly path?: string;
}

/** By what a `node:http` or `node:https` server is known here: its own type would ask every user for the types of Node. */
export interface HttpServer {
  listenerCount(event: string): number;
  address(): unknown;
  closeAllConnections(): void;
}

/** What holds a server of the user's to us. */
export interface Attached {
  /** Connections that are open. */
  readonly sessions: number;
  /** Takes no more and closes what is open with 1001; the server itself goes on. */
  close(reason?: string): Promise<void>;
}

/** Accepts WebSockets on a `node:http` or `node:https` server that the user has. */
export function attach(to: HttpServer, options: AttachOptions): Attached {
  const server = to as unknown as NetServer;
  const acceptor = new Acceptor(options);
  const { limits } = acceptor;
  const wss = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: limits.message,
    maxFragments: limits.fragments,
    perMessageDeflate: options.compression === true,
    // The choice was made by `admit`.
    handleProtocols: (_, request) => CHOSEN.get(request) ?? false,
  });
  const onUpgrade = async (incoming: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    // Left to whoever else listens; without anybody the client is told.
    if (!isPath(incoming, options.path) && server.listenerCount("upgrade") > 1) return;
    const onError = (): void => void socket.destroy();
    socket.on("error", onError);
    const request = toRequest(incoming);
    if (request === undefined) return answer(socket, refuse(400, "malformed request"));
    const hosts = incoming.headersDistinct["host"] ?? null;
    const admission = await acceptor.admit({ request, hosts, bound: boundTo(server), path: options.path });
    if (admission instanceof Response) return answer(socket, admission);
    if (admission.protocol !== undefined) CHOSEN.set(incoming, admission.protocol);
    socket.off("error", onError);
    wss.handleUpgrade(incoming, socket, head, (websocket) => {
      const { remoteAddress, remotePort } = incoming.socket;
      const label = `client ${remoteAddress}:${remotePort}`;
      const transport: WsTransport = new WsTransport(
        new NodeSocket(websocket, socket),
        websocket.protocol,
        label,
        limits,
        () => acceptor.left(transport),
      );
      listen(websocket, transport);
      acceptor.joined(transport, request);
    });
  };
  const listener = (incoming: IncomingMessage, socket: Duplex, head: Buffer): void =>
    void onUpgrade(incoming, socket, head);
  server.on("upgrade", listener);
  return {
    get sessions() {
      return acceptor.sessions;
    },
    close(reason = "the server is closing") {
      server.off("upgrade", listener);
      return acceptor.close(reason);
    },
  };
}

/**
 * Starts a server of WebSockets alone; settles once it listens.
 * @throws the runtime's error where the address cannot be had.
 */
export async function serve(options: ServeOptions): Promise<Server> {
  const refuseAll = createRefusal();
  const timing = handshakeTime(withDefaults(options.limits));
  const http =
    options.tls === undefined
      ? builtin("node:http").createServer(timing, refuseAll)
      : builtin("node:https").createServer({ ...options.tls, ...timing }, refuseAll);
  const attached = attach(http, options);
  await new Promise<void>((resolve, reject) => {
    http.once("error", reject);
    http.listen(options.port ?? 0, options.hostname ?? "127.0.0.1", () => {
      http.off("error", reject);
      resolve();
    });
  });
  const { address, port } = http.address() as AddressInfo;
  return serverOf(
    options,
    { hostname: options.hostname ?? address, port },
    () => attached.sessions,
    async (reason) => {
      const stopped = new Promise((resolve) => http.close(resolve));
      await attached.close(reason);
      http.closeAllConnections();
      await stopped;
    },
  );
}

// To import node:http would look at each of its members, and one is Node's whole fetch: 16 MiB and 20 ms, also for who only dials.
const builtin = process.getBuiltinModule.bind(process);

/** The subprotocol chosen for a request whose handshake is under way. */
const CHOSEN: WeakMap<IncomingMessage, string> = new WeakMap();

function createRefusal(): (incoming: IncomingMessage, response: ServerResponse) => void {
  const body = JSON.stringify({ error: "this is a WebSocket server" });
  const headers = { upgrade: "websocket", "content-type": "application/json", "cache-control": "no-store" };
  return (_, response) => {
    response.writeHead(426, { ...headers, "content-length": body.length });
    response.end(body);
  };
}

/** How long a client may take to ask; 0 is for ever. */
function handshakeTime({ handshake }: WsLimits): HttpOptions {
  const time = Number.isFinite(handshake) ? handshake : 0;
  return {
    headersTimeout: time,
    requestTimeout: time,
    connectionsCheckingInterval: Math.min(time || 1000, 1000),
  };
}

function boundTo(server: NetServer): string | undefined {
  const address = server.address();
  return typeof address === "object" ? address?.address : undefined;
}

function isPath(incoming: IncomingMessage, path: string | undefined): boolean {
  return path === undefined || incoming.url?.replace(/\?.*$/s, "") === path;
}

/** undefined where it is none a `Request` can hold. */
function toRequest(incoming: IncomingMessage): Request | undefined {
  try {
    const headers = new Headers();
    const raw = incoming.rawHeaders;
    for (let at = 0; at + 1 < raw.length; at += 2) headers.append(raw[at]!, raw[at + 1]!);
    const scheme = "encrypted" in incoming.socket ? "https" : "http";
    const host = incoming.headers.host;
    return new Request(new URL(incoming.url ?? "/", `${scheme}://${host ?? "localhost"}`), { headers });
  } catch {
    return undefined;
  }
}

async function answer(socket: Duplex, response: Response): Promise<void> {
  const body = new Uint8Array(await response.arrayBuffer());
  const lines = [`HTTP/1.1 ${response.status} ${builtin("node:http").STATUS_CODES[response.status] ?? ""}`];
  for (const [name, value] of response.headers) if (!OWN.has(name)) lines.push(`${name}: ${value}`);
  lines.push("connection: close", `content-length: ${body.length}`, "", "");
  socket.write(lines.join("\r\n"));
  socket.end(body, () => socket.destroy());
}

const OWN: ReadonlySet<string> = new Set(["connection", "content-length", "transfer-encoding"]);
