// The `ws` package: the server's side on Node, and the client's, as Node's own WebSocket can neither be paused, nor
// bounded, nor dropped, and offers compression always. Speed is the same.
import type { Chunk } from "@sluice/transport";
import type { Duplex } from "node:stream";
import type { RawData, WebSocket } from "ws";
import type { Socket, SocketEvents } from "./socket.ts";

/** The memory of smaller messages is not worth telling of. */
const SMALL = 4096;

/**
 * Messages in one turn after which it is full whatever is buffered: a socket that has died buffers nothing, and does not
 * say so before the turn is over, so that a loop that writes until it is full would never end.
 */
const LEAVING = 1024;

export class NodeSocket implements Socket {
  readonly #socket: WebSocket;
  readonly #stream: Duplex | undefined;
  /** Messages that have not left, or are not known to have. */
  #leaving = 0;
  #wanted: { readonly below: number; readonly tell: () => void } | undefined;
  // One function for all small messages; it is called once a message has left, or cannot any more.
  readonly #left = (error?: Error | null): void => {
    this.#leaving--;
    // What died with its socket makes no room.
    if (error || this.#wanted === undefined || this.buffered >= this.#wanted.below) return;
    const { tell } = this.#wanted;
    this.#wanted = undefined;
    tell();
  };

  /** @param stream what the WebSocket is spoken over */
  constructor(socket: WebSocket, stream: Duplex | undefined) {
    this.#socket = socket;
    this.#stream = stream;
  }

  cork(): void {
    this.#stream?.cork();
  }

  uncork(): void {
    this.#stream?.uncork();
  }

  send(message: Chunk, sent: (message: Chunk) => void): void {
    this.#leaving++;
    const left = message.length < SMALL ? this.#left : this.#leftWith(message, sent);
    this.#socket.send(message, { binary: typeof message !== "string" }, left);
    // What the system takes at once is told in a later tick, and a stream's pump may fill many messages before that.
    if (message.length >= SMALL && this.#socket.bufferedAmount === 0) sent(message);
  }

  #leftWith(message: Chunk, sent: (message: Chunk) => void): (error?: Error | null) => void {
    return (error) => {
      sent(message);
      this.#left(error);
    };
  }

  get open(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  get buffered(): number {
    return this.#leaving > LEAVING ? Number.POSITIVE_INFINITY : this.#socket.bufferedAmount;
  }

  whenBelow(below: number, tell: () => void): void {
    this.#wanted = { below, tell };
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  terminate(): void {
    this.#socket.terminate();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  ping(): void {
    this.#socket.ping();
  }
}

/** Sends a WebSocket's events on. */
export function listen(socket: WebSocket, events: SocketEvents): void {
  let cause: unknown;
  socket.on("message", (data: RawData, isBinary: boolean) =>
    events.onMessage(isBinary ? (data as Uint8Array) : (data as Buffer).toString()),
  );
  socket.on("ping", () => events.onSign());
  socket.on("pong", () => events.onSign());
  // Only ever followed by a close.
  socket.on("error", (error) => (cause = error));
  socket.on("close", (code, reason) => events.onClosed(code, String(reason), cause));
}
