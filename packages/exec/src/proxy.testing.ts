// A real proxy of HTTP. Whatever name it is asked for, it goes to one server: tests need no names of their own.
import { readFileSync } from "node:fs";
import http, { type IncomingHttpHeaders, type RequestListener } from "node:http";
import https from "node:https";
import net, { type AddressInfo, type Socket } from "node:net";
import type { Duplex } from "node:stream";

const file = (name: string): string =>
  readFileSync(new URL(`./fixtures/tls/${name}`, import.meta.url), "utf8");

/** Of `secure.test`, `localhost` and 127.0.0.1, signed by itself. */
export const TLS: { readonly cert: string; readonly key: string } = {
  cert: file("cert.pem"),
  key: file("key.pem"),
};

/** A request as the proxy has got it. */
interface Asked {
  readonly method: string;
  /** As it stands in the request's first line. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
}

export interface ProxyServer extends AsyncDisposable {
  /** Without a slash at its end. */
  readonly url: string;
  readonly asked: readonly Asked[];
  /** Connections that clients have to it. */
  readonly open: number;
  /** Settles once this holds, which is looked at whenever it is asked for something or a connection of its own is over. */
  until(holds: () => boolean): Promise<void>;
}

export interface ProxyOptions {
  /** The port of the server that it reaches. */
  readonly to?: number;
  readonly scheme?: "http" | "https";
  /** Answers requests in place of the server. */
  readonly answer?: RequestListener;
  /** Does with a connection that is asked for by CONNECT what it likes. */
  readonly connect?: (socket: Duplex) => void;
}

export async function proxyServer(options: ProxyOptions = {}): Promise<ProxyServer> {
  const { to = 0, scheme = "http", answer = forwardTo(to), connect = tunnelTo(to) } = options;
  const asked: Asked[] = [];
  const open = new Set<Socket>();
  const waiting = new Set<() => void>();
  const changed = (): void => waiting.forEach((look) => look());
  const seen = ({ method = "", url = "", headers }: http.IncomingMessage): void => {
    asked.push({ method, target: url, headers });
    changed();
  };
  const server = scheme === "https" ? https.createServer(TLS) : http.createServer();
  server.on("request", (request, response) => {
    seen(request);
    answer(request, response);
  });
  server.on("connect", (request, socket) => {
    seen(request);
    socket.on("error", () => {}); // clients leave as they like
    if (options.connect !== undefined) socket.on("end", () => socket.end());
    connect(socket);
  });
  server.on("connection", (socket: Socket) => {
    open.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => {
      open.delete(socket);
      changed();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    get open() {
      return open.size;
    },
    until: (holds) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!holds()) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** As proxies do, without the headers that are meant for them. */
function forwardTo(port: number): RequestListener {
  return (request, response) => {
    const { pathname, search } = new URL(request.url ?? "");
    const { "proxy-authorization": _, ...headers } = request.headers;
    const { method } = request;
    const onwards = http.request({ host: "127.0.0.1", port, path: pathname + search, method, headers });
    onwards.on("response", (answer) => {
      response.writeHead(answer.statusCode ?? 0, answer.headers);
      answer.pipe(response);
    });
    onwards.on("error", () => response.destroy());
    response.on("close", () => onwards.destroy());
    request.pipe(onwards);
  };
}

function tunnelTo(port: number): (socket: Duplex) => void {
  return (socket) => {
    const server = net.connect(port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      socket.pipe(server).pipe(socket);
    });
    server.on("error", () => socket.destroy());
    server.on("close", () => socket.destroy());
    socket.on("close", () => server.destroy());
  };
}
