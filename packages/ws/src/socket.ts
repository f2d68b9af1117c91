import type { Chunk } from "@sluice/transport";

/** What the transport needs of a runtime's WebSocket. What is optional, not every runtime can do. */
export interface Socket {
  /** Hands one message over: text as a string, anything else as bytes. `sent` is called once its memory is free again. */
  send(message: Chunk, sent: (message: Chunk) => void): void;
  /** Holds back what is sent until `uncork`: then all of it leaves in one write. */
  cork?(): void;
  uncork?(): void;
  /** Whether messages are taken. Once it is not, `onClosed` follows. */
  readonly open: boolean;
  /** Bytes that were handed over and have not left yet. */
  readonly buffered: number;
  /** Calls back, once, as soon as less than `below` bytes are buffered. */
  whenBelow(below: number, tell: () => void): void;
  /** Sends Close behind everything handed over. */
  close(code: number, reason: string): void;
  /** Drops the connection, and what it had not sent, at once. */
  terminate?(): void;
  /** Stops and goes on reading from the network, so that the sender is held back. */
  pause?(): void;
  resume?(): void;
  /** Sends a ping; the answer is told by `onSign`. */
  ping?(): void;
}

/** What a runtime's WebSocket tells the transport. */
export interface SocketEvents {
  onMessage(message: Chunk): void;
  /** A pong has come, or a ping. */
  onSign(): void;
  /** Over: with the code and reason of the Close received, 1005 where it had none, 1006 where there was none. */
  onClosed(code: number, reason: string, cause?: unknown): void;
}
