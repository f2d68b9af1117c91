// Deno, with its own WebSocket where it serves; for dialling see `dial-node.ts`.
import { TransportError } from "@sluice/transport";
import { Acceptor, type AcceptOptions } from "./accept.ts";
import { DenoSocket } from "./deno-socket.ts";
import { refuse } from "./refusal.ts";
import { serverOf, type ServeOptions, type Server } from "./server.ts";
import { listen } from "./standard-socket.ts";
import { WsTransport } from "./ws-transport.ts";

export type { AcceptOptions } from "./accept.ts";
export { dial } from "./dial-node.ts";
export type { DialOptions } from "./dial-options.ts";
export { WS_LIMITS, type WsLimits } from "./limits.ts";
export type { ServeOptions, Server } from "./server.ts";

/** What is used of Deno's own. */
interface DenoNamespace {
  serve(
    options: {
      port: number;
      hostname: string;
      cert?: string;
      key?: string;
      onListen(address: NetAddress): void;
    },
    handler: (request: Request, info: { remoteAddr: NetAddress }) => Promise<Response>,
  ): { shutdown(): Promise<void> };
  upgradeWebSocket(request: Request, options: { idleTimeout: number }): Upgraded;
}
interface Upgraded {
  readonly socket: WebSocket;
  readonly response: Response;
}
interface NetAddress {
  readonly hostname: string;
  readonly port: number;
}
declare const Deno: DenoNamespace;

/** Where a request came in, as the handler of `Deno.serve` is told. */
export interface AcceptInfo {
  readonly remoteAddr?: NetAddress | undefined;
  /** The address the server listens on. Default: not known, which allows the names of loopback alone (`hosts`). */
  readonly bound?: string;
}

/** What Deno says of a far end that has not answered its ping. */
const NO_ANSWER = "No response from ping frame.";

/** Accepts WebSockets in the handler of a `Deno.serve` that the user has: make one and pass it each such request. */
export function acceptor(options: AcceptOptions): (request: Request, info?: AcceptInfo) => Promise<Response> {
  const connections = new Acceptor(options);
  return (request, info = {}) => accept(connections, request, info);
}

async function accept(
  connections: Acceptor,
  request: Request,
  { remoteAddr, bound }: AcceptInfo,
  path?: string,
): Promise<Response> {
  const { limits } = connections;
  const admission = await connections.admit({ request, hosts: request.headers.get("host"), bound, path });
  if (admission instanceof Response) return admission;
  const { protocol } = admission;
  // W5, by Deno: in seconds, with a ping after half of it.
  const idleTimeout = limits.heartbeat === Number.POSITIVE_INFINITY ? 0 : (2 * limits.heartbeat) / 1000;
  // Once it is a WebSocket, Deno's own tells its headers no more.
  const kept = new Request(request.url, { headers: request.headers });
  const upgraded = upgrade(request, idleTimeout);
  if (upgraded === undefined) return refuse(400, "malformed WebSocket handshake");
  const { socket, response } = upgraded;
  // Its own option takes a list of protocols for one name where no spaces follow the commas (RFC 9110 5.6.1 needs none).
  if (protocol !== undefined) response.headers.set("sec-websocket-protocol", protocol);
  socket.binaryType = "arraybuffer";
  const label = remoteAddr === undefined ? "client" : `client ${remoteAddr.hostname}:${remoteAddr.port}`;
  socket.addEventListener("open", () => {
    const transport: WsTransport = new WsTransport(
      new DenoSocket(socket),
      protocol ?? "",
      label,
      limits,
      () => connections.left(transport),
    );
    // Comes before the close, which has a code as if the far end had sent it.
    socket.addEventListener("error", (event) => {
      if ((event as ErrorEvent).message === NO_ANSWER)
        transport.abort(new TransportError("timeout", `${label} gives no sign of life (W5)`));
    });
    listen(socket, transport);
    connections.joined(transport, kept);
  });
  // One that fails to open is followed by nothing.
  socket.addEventListener("error", () => {});
  return response;
}

/** undefined where the handshake is malformed, as where it has no key. */
function upgrade(request: Request, idleTimeout: number): Upgraded | undefined {
  try {
    return Deno.upgradeWebSocket(request, { idleTimeout });
  } catch {
    return undefined;
  }
}

/** As in `node.ts`. */
export async function serve(options: ServeOptions): Promise<Server> {
  const connections = new Acceptor(options);
  const hostname = options.hostname ?? "127.0.0.1";
  let bound = hostname;
  let listening: (address: NetAddress) => void = () => {};
  const listens = new Promise<NetAddress>((resolve) => (listening = resolve));
  const server = Deno.serve(
    { port: options.port ?? 0, hostname, ...options.tls, onListen: listening },
    (request, { remoteAddr }) => accept(connections, request, { remoteAddr, bound }, options.path),
  );
  const address = await listens;
  bound = address.hostname;
  return serverOf(
    options,
    { hostname, port: address.port },
    () => connections.sessions,
    async (reason) => {
      await connections.close(reason);
      await server.shutdown();
    },
  );
}
