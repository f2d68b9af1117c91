// The limit over a WebSocket, the server's side: `/calls` echoes JSON, `/<bytes>` sends as many bytes and closes.
import type { AddressInfo } from "node:net";
import { WebSocketServer, type WebSocket } from "ws";

const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false });
server.on("listening", () => console.log(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/`));
server.on("connection", (socket, request) => {
  if (request.url === "/calls") echo(socket);
  else flood(socket, Number(request.url?.slice(1)));
});

function echo(socket: WebSocket): void {
  socket.on("message", (data: Buffer) => {
    const { id, params } = JSON.parse(data.toString()) as { id: number; params: unknown };
    socket.send(JSON.stringify({ jsonrpc: "2.0", id, result: params }));
  });
}

function flood(socket: WebSocket, total: number): void {
  const chunk = new Uint8Array(64 * 1024).fill(7);
  let left = total;
  const write = (): void => {
    while (left > 0) {
      left -= chunk.length;
      if (socket.bufferedAmount > 1024 * 1024) return socket.send(chunk, write);
      socket.send(chunk);
    }
    socket.close();
  };
  write();
}
