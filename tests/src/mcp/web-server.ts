import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** Serves a web handler by `node:http`, which every runtime here has. */
export async function webServer(
  answer: (request: Request) => Promise<Response>,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const server = createServer((request, response) => void serve(request, response, answer));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  answer: (request: Request) => Promise<Response>,
): Promise<void> {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers))
    if (typeof value === "string") headers.set(name, value);
  const method = request.method ?? "GET";
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk as Uint8Array);
  const body = method === "POST" ? new Blob(chunks as BlobPart[]) : null;
  const answered = await answer(
    new Request(`http://${headers.get("host")}${request.url}`, { method, headers, body }),
  );
  response.writeHead(answered.status, Object.fromEntries(answered.headers));
  response.flushHeaders();
  const reader = answered.body?.getReader();
  response.on("close", () => void reader?.cancel().catch(() => {}));
  try {
    for (let read = await reader?.read(); read?.done === false; read = await reader?.read())
      response.write(read.value);
  } catch {
    // The client has gone.
  }
  response.end();
}
