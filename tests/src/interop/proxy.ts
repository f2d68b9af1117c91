// A TCP connection that can be cut in the middle.
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

export class Proxy {
  readonly url: string;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;
  #passes: "all" | "none" = "all";

  private constructor(server: Server, sockets: Set<Socket>) {
    this.#server = server;
    this.#sockets = sockets;
    this.url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(to: string): Promise<Proxy> {
    const { hostname, port } = new URL(to);
    const sockets = new Set<Socket>();
    const server = createServer((near) => {
      if (proxy.#passes === "none") {
        near.destroy();
        return;
      }
      const far = connect(Number(port), hostname);
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        sockets.add(one);
        one.on("error", () => other.destroy());
        one.on("close", () => {
          sockets.delete(one);
          other.destroy();
        });
        one.pipe(other);
      }
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const proxy = new Proxy(server, sockets);
    return proxy;
  }

  /** Cuts every connection there is; new ones are let through. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** Whether new connections are let through. Default: all. */
  pass(which: "all" | "none"): void {
    this.#passes = which;
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
