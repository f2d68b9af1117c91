// The WebSocket of the standard: browsers and Deno, and with more abilities Bun. It can tell how much is buffered, but
// not when it is less, so that is looked at by the clock; it cannot stop reading, nor drop the connection.
import type { Chunk } from "@sluice/transport";
import { LOST, raised } from "./close-codes.ts";
import type { Socket, SocketEvents } from "./socket.ts";

const POLL_MS = 2;
const POLL_MS_MAX = 32;

/** What some runtimes' WebSockets can do beyond the standard. */
export interface MoreAbilities {
  terminate?(): void;
  pause?(): void;
  resume?(): void;
  ping?(): void;
}

export class StandardSocket implements Socket {
  protected readonly socket: WebSocket;
  readonly terminate?: () => void;
  readonly pause?: () => void;
  readonly resume?: () => void;
  readonly ping?: () => void;

  constructor(socket: WebSocket & MoreAbilities) {
    this.socket = socket;
    if (socket.terminate !== undefined) this.terminate = () => socket.terminate!();
    if (socket.pause !== undefined) this.pause = () => socket.pause!();
    if (socket.resume !== undefined) this.resume = () => socket.resume!();
    if (socket.ping !== undefined) this.ping = () => socket.ping!();
  }

  // It copies what it is given before it returns.
  send(message: Chunk, sent: (message: Chunk) => void): void {
    this.socket.send(message as string | Uint8Array<ArrayBuffer>);
    sent(message);
  }

  get open(): boolean {
    return this.socket.readyState === 1;
  }

  get buffered(): number {
    return this.socket.bufferedAmount;
  }

  whenBelow(below: number, tell: () => void, wait: number = POLL_MS): void {
    setTimeout(() => {
      if (this.socket.readyState > 1) return;
      if (this.socket.bufferedAmount < below) tell();
      else this.whenBelow(below, tell, Math.min(wait * 2, POLL_MS_MAX));
    }, wait);
  }

  close(code: number, reason: string): void {
    this.socket.close(raised(code), reason);
  }
}

/** Sends a standard WebSocket's events on. Its `binaryType` must be "arraybuffer". */
export function listen(socket: WebSocket, events: SocketEvents): void {
  let cause: unknown;
  socket.addEventListener("message", ({ data }: MessageEvent<string | ArrayBuffer>) =>
    events.onMessage(typeof data === "string" ? data : new Uint8Array(data)),
  );
  // Only ever followed by a close, which says more.
  socket.addEventListener("error", (event) => {
    cause = (event as { error?: unknown }).error;
  });
  // Deno gives a connection that was lost the code 0.
  socket.addEventListener("close", ({ code, reason }: CloseEvent) => {
    events.onClosed(code === 0 ? LOST : code, reason, cause);
  });
  for (const sign of ["ping", "pong"]) socket.addEventListener(sign, () => events.onSign());
}
