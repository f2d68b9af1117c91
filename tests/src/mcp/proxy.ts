import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/** A proxy that carries bytes between clients and one port of this machine, and can break its connections. */
export interface Proxy {
  readonly port: number;
  /** Breaks all connections there are. */
  cut(): void;
  /** From now on breaks each connection when it has brought so many bytes to its client, and lets the next bring more. */
  cutAfter(bytes: number): void;
  /** How many connections it has broken. */
  readonly cuts: number;
  close(): Promise<void>;
}

export async function proxy(target: number): Promise<Proxy> {
  const pairs = new Set<() => void>();
  let limit: number | undefined;
  let cuts = 0;
  const server = createServer((client) => {
    const upstream = connect(target, "127.0.0.1");
    let brought = 0;
    const breakOff = (): void => {
      pairs.delete(breakOff);
      client.destroy();
      upstream.destroy();
    };
    pairs.add(breakOff);
    client.pipe(upstream);
    upstream.on("data", (bytes: Uint8Array) => {
      const room = limit === undefined ? bytes.length : Math.max(0, limit - brought);
      brought += bytes.length;
      if (room >= bytes.length) client.write(bytes);
      else {
        cuts++;
        limit = Math.ceil(limit! * 1.5);
        // What was to come is on its way before the connection breaks.
        client.end(bytes.subarray(0, room), breakOff);
      }
    });
    for (const socket of [client, upstream] satisfies Socket[]) {
      socket.on("error", breakOff);
      socket.on("close", breakOff);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  return {
    port: (server.address() as AddressInfo).port,
    get cuts() {
      return cuts;
    },
    cut() {
      cuts += pairs.size;
      for (const breakOff of pairs) breakOff();
    },
    cutAfter: (bytes) => void (limit = bytes),
    close() {
      for (const breakOff of pairs) breakOff();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
