// A server over real sockets, whose connections break where its answers do.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What answers; a promise that rejects, and a body that errs, break the connection. */
export type Serve = (request: Request) => Promise<Response>;

export async function listen(serve: Serve): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    response.on("error", () => {}); // the client has gone
    // It is broken off when what was written has left.
    answer(serve, request, response).catch(() => response.socket?.end());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

async function answer(serve: Serve, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = "GET", rawHeaders } = request;
  const headers = new Headers();
  for (let i = 0; i < rawHeaders.length; i += 2) headers.append(rawHeaders[i]!, rawHeaders[i + 1]!);
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk as Uint8Array);
  const body = chunks.length === 0 ? null : new Blob(chunks as BlobPart[]);
  const url = `http://${headers.get("host")}${request.url}`;
  const answered = await serve(new Request(url, { method, headers, body }));
  response.writeHead(answered.status, [...answered.headers].flat());
  response.flushHeaders();
  if (answered.body === null) return void response.end();
  const reader = answered.body.getReader();
  response.on("close", () => void reader.cancel().catch(() => {})); // it has failed by itself
  for (let read = await reader.read(); !read.done; read = await reader.read())
    await new Promise<void>((resolve) => response.write(read.value, () => resolve()));
  response.end();
}
