// WebSockets on a server that the user has, on each runtime in its own way.
import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dial } from "@sluice/ws";
import type { Transport } from "@sluice/transport";
import { describe, expect, it } from "vitest";
import { own } from "./fixtures/runtimes.ts";
import { Queue } from "./pairs.testing.ts";
import { Raw } from "./raw.testing.ts";
import { watch } from "./watch.testing.ts";

/** A word goes there and back. */
async function speaks(url: string, queue: Queue<Transport>): Promise<void> {
  const near = watch(await dial(url, { protocols: ["jsonrpc"] }));
  const far = watch(await queue.next());
  near.transport.write(["hello"]);
  await far.said("hello");
  far.transport.write(["hello yourself"]);
  await near.said("hello yourself");
  near.transport.close();
  expect([await near.closed, await far.closed]).toEqual([undefined, undefined]);
}

const text = async (port: number, path = "/"): Promise<string> =>
  (await fetch(`http://127.0.0.1:${port}${path}`)).text();

describe.runIf(own === "node")("attach, on a server of node:http", () => {
  async function listening(): Promise<{ http: HttpServer; port: number } & AsyncDisposable> {
    const http = createServer((_, response) => response.end("a page"));
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
    const dispose = (): Promise<void> =>
      new Promise((resolve) => {
        http.close(() => resolve());
        http.closeAllConnections();
      });
    return { http, port: (http.address() as AddressInfo).port, [Symbol.asyncDispose]: dispose };
  }

  it("serves beside what the server answers itself", async () => {
    const { attach } = await import("./node.ts");
    await using all = await listening();
    const queue = new Queue<Transport>();
    const attached = attach(all.http, { onSession: (transport) => queue.push(transport) });
    await speaks(`ws://127.0.0.1:${all.port}/any/path`, queue);
    expect([await text(all.port), attached.sessions]).toEqual(["a page", 0]);
    await attached.close();
  });

  it("leaves other paths to whoever else listens, and answers them where nobody does", async () => {
    const { attach } = await import("./node.ts");
    await using all = await listening();
    const queue = new Queue<Transport>();
    const attached = attach(all.http, { path: "/rpc", onSession: (transport) => queue.push(transport) });
    await expect(dial(`ws://127.0.0.1:${all.port}/theirs`)).rejects.toThrow("404");

    const theirs = attach(all.http, { path: "/theirs", onSession: (transport) => queue.push(transport) });
    await speaks(`ws://127.0.0.1:${all.port}/rpc`, queue);
    await speaks(`ws://127.0.0.1:${all.port}/theirs?a=b`, queue);
    all.http.on("upgrade", ({ url }, socket) => url === "/raw" && socket.end("HTTP/1.1 418 Teapot\r\n\r\n"));
    await expect(dial(`ws://127.0.0.1:${all.port}/raw`)).rejects.toThrow("418");
    await attached.close();
    await theirs.close();
  });

  it("closes what is its own with 1001, and the server goes on", async () => {
    const { attach } = await import("./node.ts");
    await using all = await listening();
    const queue = new Queue<Transport>();
    const attached = attach(all.http, { onSession: (transport) => queue.push(transport) });
    const near = watch(await dial(`ws://127.0.0.1:${all.port}/`));
    const far = watch(await queue.next());
    expect(attached.sessions).toBe(1);
    await attached.close("enough");
    expect([(await near.closed)?.message, (await far.closed)?.message]).toEqual([
      `ws://127.0.0.1:${all.port}/ closed with 1001 (going away): enough`,
      "the server closed: enough",
    ]);
    expect([attached.sessions, await text(all.port)]).toEqual([0, "a page"]);
    // Nobody takes upgrades any more, so Node answers as if none had been asked for.
    await expect(dial(`ws://127.0.0.1:${all.port}/`)).rejects.toThrow("200");
  });

  it("goes by the address the server listens on", async () => {
    const { attach } = await import("./node.ts");
    await using all = await listening();
    const attached = attach(all.http, { onSession: () => {} });
    const refused = await new Raw(all.port).upgrade(["Host: evil.example"]);
    expect(refused.status).toBe(403);
    await attached.close();
  });
});

interface DenoServer {
  readonly addr: { readonly port: number };
  shutdown(): Promise<void>;
}
type AcceptInfo = import("./deno.ts").AcceptInfo;

describe.runIf(own === "deno")("acceptor, in the handler of Deno.serve", () => {
  async function listening(
    bound?: string,
  ): Promise<{ port: number; queue: Queue<Transport> } & AsyncDisposable> {
    const { acceptor } = await import("./deno.ts");
    const { Deno } = globalThis as unknown as {
      Deno: {
        serve(
          options: object,
          handler: (request: Request, info: AcceptInfo) => Response | Promise<Response>,
        ): DenoServer;
      };
    };
    const queue = new Queue<Transport>();
    const accept = acceptor({ onSession: (transport) => queue.push(transport) });
    const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request, info) =>
      new URL(request.url).pathname === "/rpc"
        ? accept(request, bound === undefined ? info : { ...info, bound })
        : new Response("a page"),
    );
    return { port: server.addr.port, queue, [Symbol.asyncDispose]: () => server.shutdown() };
  }

  it("serves beside what the handler answers itself", async () => {
    await using all = await listening();
    await speaks(`ws://127.0.0.1:${all.port}/rpc`, all.queue);
    expect(await text(all.port)).toBe("a page");
    expect(JSON.parse(await text(all.port, "/rpc"))).toEqual({ error: "this is a WebSocket server" });
  });

  it("takes the names of loopback alone, unless it is told that the server listens elsewhere", async () => {
    await using here = await listening();
    expect((await new Raw(here.port).upgrade(["Host: evil.example"], "/rpc")).status).toBe(403);
    await using everywhere = await listening("0.0.0.0");
    const raw = new Raw(everywhere.port);
    expect((await raw.upgrade(["Host: evil.example"], "/rpc")).status).toBe(101);
    raw.socket.destroy();
    expect((await watch(await everywhere.queue.next()).closed)?.code).toBe("read");
  });
});

type BunServer = import("./bun.ts").BunServer;

describe.runIf(own === "bun")("acceptor, in a Bun.serve", () => {
  it("serves beside what the server answers itself", async () => {
    const { acceptor } = await import("./bun.ts");
    const { Bun } = globalThis as unknown as { Bun: { serve(options: object): BunServer } };
    const queue = new Queue<Transport>();
    const rpc = acceptor({ onSession: (transport) => queue.push(transport) });
    const server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      websocket: rpc.websocket,
      fetch: (request: Request, server: BunServer) =>
        new URL(request.url).pathname === "/rpc" ? rpc.fetch(request, server) : new Response("a page"),
    });
    await speaks(`ws://127.0.0.1:${server.port}/rpc`, queue);
    expect(await text(server.port!)).toBe("a page");
    expect(JSON.parse(await text(server.port!, "/rpc"))).toEqual({ error: "this is a WebSocket server" });
    expect((await new Raw(server.port!).upgrade(["Host: evil.example"], "/rpc")).status).toBe(403);
    await server.stop(true);
  });
});
