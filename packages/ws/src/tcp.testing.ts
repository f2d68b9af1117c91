import { createServer, type AddressInfo, type Socket } from "node:net";
import { acceptOf, switching } from "./raw.testing.ts";

/** A TCP server that does with each connection what it is told. */
export interface Tcp extends AsyncDisposable {
  /** Where to dial it. */
  readonly url: string;
}

export async function tcp(onConnection: (socket: Socket) => void): Promise<Tcp> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** One that answers every handshake, with these headers, and then does with the connection what it is told. */
export function upgrading(onOpen: (socket: Socket) => void, ...headers: readonly string[]): Promise<Tcp> {
  return tcp((socket) =>
    socket.once("data", (request) => {
      socket.write(switching(acceptOf(String(request)), ...headers));
      onOpen(socket);
    }),
  );
}
