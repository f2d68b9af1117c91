// The server's side of Bun's WebSocket: one set of handlers for all connections, each of which carries its transport.
// `send` tells what became of a message: -1 queued under pressure, 0 dropped, which must never happen here.
import type { Chunk } from "@sluice/transport";
import type { Acceptor } from "./accept.ts";
import type { WsLimits } from "./limits.ts";
import type { Socket } from "./socket.ts";
import { WsTransport } from "./ws-transport.ts";

/** What is used of Bun's `ServerWebSocket`. */
interface ServerWebSocket {
  readonly data: ConnectionData;
  readonly remoteAddress: string;
  readonly readyState: number;
  send(message: string | Uint8Array): number;
  getBufferedAmount(): number;
  close(code: number, reason: string): void;
  terminate(): void;
  ping(): void;
}

/** Travels with a connection from the upgrade on. */
export interface ConnectionData {
  readonly acceptor: Acceptor;
  readonly protocol: string | undefined;
  readonly request: Request;
  socket?: BunSocket;
  transport?: WsTransport;
}

class BunSocket implements Socket {
  readonly #socket: ServerWebSocket;
  #wanted: { readonly below: number; readonly tell: () => void } | undefined;

  constructor(socket: ServerWebSocket) {
    this.#socket = socket;
  }

  // It copies what it cannot send at once.
  send(message: Chunk, sent: (message: Chunk) => void): void {
    if (this.#socket.send(message) === 0 && message.length > 0)
      throw new Error("Bun dropped a message: more than its backpressureLimit waits");
    sent(message);
  }

  get open(): boolean {
    return this.#socket.readyState === 1;
  }

  get buffered(): number {
    return this.#socket.getBufferedAmount();
  }

  whenBelow(below: number, tell: () => void): void {
    this.#wanted = { below, tell };
  }

  drained(): void {
    if (this.#wanted === undefined || this.buffered >= this.#wanted.below) return;
    const { tell } = this.#wanted;
    this.#wanted = undefined;
    tell();
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  terminate(): void {
    this.#socket.terminate();
  }

  ping(): void {
    this.#socket.ping();
  }
}

/** Bun's `websocket` handlers and settings for `Bun.serve`. */
export interface WebSocketHandlers {
  readonly maxPayloadLength: number;
  readonly backpressureLimit: number;
  readonly closeOnBackpressureLimit: boolean;
  readonly idleTimeout: number;
  readonly sendPings: boolean;
  readonly perMessageDeflate: boolean;
  open(socket: ServerWebSocket): void;
  message(socket: ServerWebSocket, message: string | Uint8Array): void;
  drain(socket: ServerWebSocket): void;
  ping(socket: ServerWebSocket): void;
  pong(socket: ServerWebSocket): void;
  close(socket: ServerWebSocket, code: number, reason: string): void;
}

/** `write` says full long before; past this Bun would drop messages. */
const BACKPRESSURE_LIMIT = 1024 * 1024 * 1024;

export function handlers(limits: WsLimits, compression: boolean): WebSocketHandlers {
  return {
    maxPayloadLength: limits.message,
    backpressureLimit: BACKPRESSURE_LIMIT,
    closeOnBackpressureLimit: true,
    // Ours is the heartbeat.
    idleTimeout: 0,
    sendPings: false,
    perMessageDeflate: compression,
    open(socket) {
      const { acceptor, protocol, request } = socket.data;
      const own = new BunSocket(socket);
      const transport: WsTransport = new WsTransport(
        own,
        protocol ?? "",
        `client ${socket.remoteAddress}`,
        acceptor.limits,
        () => acceptor.left(transport),
      );
      socket.data.socket = own;
      socket.data.transport = transport;
      acceptor.joined(transport, request);
    },
    message: (socket, message) => socket.data.transport?.onMessage(message),
    drain: (socket) => socket.data.socket?.drained(),
    ping: (socket) => socket.data.transport?.onSign(),
    pong: (socket) => socket.data.transport?.onSign(),
    close: (socket, code, reason) => socket.data.transport?.onClosed(code, reason),
  };
}
