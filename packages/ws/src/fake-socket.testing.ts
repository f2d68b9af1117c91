import { TransportError, type Chunk } from "@sluice/transport";
import { withDefaults, type WsLimits } from "./limits.ts";
import type { Socket } from "./socket.ts";
import { WsTransport } from "./ws-transport.ts";

/** A socket in the hands of a test, which notes what the transport does with it. */
export class FakeSocket implements Socket {
  /** Messages as text, an empty one as `<>`, and what else was asked for. */
  readonly did: string[] = [];
  open = true;
  buffered = 0;
  #wanted: { readonly below: number; readonly tell: () => void } | undefined;

  send(message: Chunk, sent: (message: Chunk) => void): void {
    if (!this.open) throw new Error("not open");
    this.did.push(typeof message === "string" ? message : `<${new TextDecoder().decode(message)}>`);
    sent(message);
  }

  whenBelow(below: number, tell: () => void): void {
    this.#wanted = { below, tell };
  }

  /** So many bytes are left of what waited to be sent. */
  drainTo(bytes: number): void {
    this.buffered = bytes;
    if (this.#wanted !== undefined && bytes < this.#wanted.below) this.#wanted.tell();
  }

  close(code: number, reason: string): void {
    this.open = false;
    this.did.push(`close ${code} ${reason}`.trim());
  }

  terminate?(): void {
    this.did.push("terminate");
  }

  pause?(): void {
    this.did.push("pause");
  }

  resume?(): void {
    this.did.push("resume");
  }

  ping?(): void {
    this.did.push("ping");
  }

  /** As a browser's, which can do none of what is optional. */
  static plain(): FakeSocket {
    const socket: Socket & FakeSocket = new FakeSocket();
    for (const ability of ["terminate", "pause", "resume", "ping"] as const)
      Object.defineProperty(socket, ability, { value: undefined });
    return socket;
  }
}

/** A transport over a fake socket, and what it has told. */
export interface Fake {
  readonly transport: WsTransport;
  readonly socket: FakeSocket;
  /** Messages as text, bytes as `<text>`; then `drain`, `end`, and `closed` with the error's code. */
  readonly told: string[];
  readonly errors: (TransportError | undefined)[];
  start(onData?: (message: string) => void): void;
  /** What the far end sends. */
  bytes(text: string): void;
  text(text: string): void;
}

export function fake(
  protocol: string,
  limits: Partial<WsLimits> = {},
  socket: FakeSocket = new FakeSocket(),
): Fake {
  const transport = new WsTransport(socket, protocol, "the far end", withDefaults(limits));
  const told: string[] = [];
  const errors: (TransportError | undefined)[] = [];
  return {
    transport,
    socket,
    told,
    errors,
    start: (onData = () => {}) =>
      transport.start({
        onData(chunk) {
          const said = typeof chunk === "string" ? chunk : `<${new TextDecoder().decode(chunk)}>`;
          told.push(said);
          onData(said);
        },
        onDrain: () => void told.push("drain"),
        onEnd: () => void told.push("end"),
        onClose(error) {
          told.push(error === undefined ? "closed" : `closed: ${error.code}`);
          errors.push(error);
        },
      }),
    bytes: (text) => transport.onMessage(bytes(text)),
    text: (text) => transport.onMessage(text),
  };
}

export const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

/** Lets what was left for a microtask happen. */
export const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
};
