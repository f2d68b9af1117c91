// The web server that the executor's requests go to.
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export class Upstream {
  readonly url: string;
  readonly #server: Server;
  #held: ServerResponse[] = [];
  #waiting: (() => void)[] = [];

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(): Promise<Upstream> {
    const server = createServer((request, response) => void upstream.#answer(request, response));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const upstream = new Upstream(server);
    return upstream;
  }

  /** Settles when a request to `/hold` or `/half` has come that was not waited for. */
  async arrived(): Promise<void> {
    if (this.#held.length === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Ends what is held. */
  release(): void {
    for (const response of this.#held.splice(0)) response.end("released");
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? "/", this.url);
    const body = await whole(request);
    switch (pathname) {
      case "/echo": {
        const { method, rawHeaders: headers } = request;
        response.writeHead(201, { "content-type": "application/json" });
        response.end(JSON.stringify({ method, headers, length: body.length, digest: digest(body) }));
        return;
      }
      case "/hello":
        response.write("hello ");
        response.end("world");
        return;
      case "/cookies":
        response.writeHead(
          200,
          [
            ["set-cookie", "a=1"],
            ["x-other", "x"],
            ["set-cookie", "b=2"],
          ].flat(),
        );
        response.end();
        return;
      case "/redirect":
        response.writeHead(302, { location: "/hello" }).end("moved");
        return;
      case "/replay":
        response.writeHead(307, { location: "/echo" }).end();
        return;
      case "/status":
        response.writeHead(Number(searchParams.get("code"))).end();
        return;
      case "/large":
        response.end(large(Number(searchParams.get("bytes"))));
        return;
      case "/reset":
        response.writeHead(200, { "content-length": 100 });
        response.write("half of it");
        await new Promise((resolve) => setImmediate(resolve));
        response.socket?.resetAndDestroy();
        return;
      case "/half":
        response.write("half of it");
        return this.#hold(response);
      case "/hold":
        return this.#hold(response);
      default:
        response.writeHead(404).end();
    }
  }

  #hold(response: ServerResponse): void {
    response.on("error", () => {});
    this.#held.push(response);
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

async function whole(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer);
  } catch {
    // The client has gone away; so goes the answer.
  }
  return Buffer.concat(chunks);
}

/** So many bytes, no two pieces of them alike. */
export function large(bytes: number): Buffer<ArrayBuffer> {
  const buffer = Buffer.alloc(bytes);
  for (let at = 0; at + 4 <= bytes; at += 4) buffer.writeUInt32LE(Math.imul(at, 2_654_435_761) >>> 0, at);
  return buffer;
}

export function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
