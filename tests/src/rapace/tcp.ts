// A TCP connection as a transport.
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { TransportError, type Chunk, type Transport, type TransportEvents } from "@sluice/transport";

class Tcp implements Transport {
  readonly unit = "bytes";
  readonly label: string;
  readonly #socket: Socket;
  #error: TransportError | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.label = `${socket.remoteAddress}:${socket.remotePort}`;
    socket.setNoDelay(true);
  }

  start(events: TransportEvents): void {
    const socket = this.#socket;
    socket.on("data", (chunk) => events.onData(chunk));
    socket.on("drain", () => events.onDrain());
    socket.on("end", () => events.onEnd());
    socket.on("error", (cause) => {
      this.#error ??= new TransportError("read", `the connection to ${this.label} failed: ${cause.message}`, {
        cause,
      });
    });
    socket.on("close", () => events.onClose(this.#error));
  }

  write(chunks: readonly Chunk[]): boolean {
    const socket = this.#socket;
    if (!socket.writable) return false;
    socket.cork();
    let room = true;
    for (const chunk of chunks) room = socket.write(chunk);
    socket.uncork();
    return room;
  }

  pause(): void {
    this.#socket.pause();
  }
  resume(): void {
    this.#socket.resume();
  }
  close(): void {
    this.#socket.end();
  }
  abort(error?: TransportError): void {
    this.#error = error;
    this.#socket.destroy();
  }
}

export function dialTcp(address: string): Promise<Transport> {
  const [host = "", port] = address.split(":");
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port), allowHalfOpen: true });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(new Tcp(socket));
    });
  });
}

export interface Listener {
  readonly address: string;
  /** The next connection. */
  next(): Promise<Transport>;
  close(): void;
}

export function listenTcp(): Promise<Listener> {
  const waiting: ((transport: Transport) => void)[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => waiting.shift()?.(new Tcp(socket)));
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      resolve({
        address: `127.0.0.1:${port}`,
        next: () => new Promise((next) => waiting.push(next)),
        close: () => void server.close(),
      });
    });
  });
}
