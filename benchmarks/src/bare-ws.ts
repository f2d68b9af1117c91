// The limit over a WebSocket, the client's side, as one would write it by hand: the `ws` package, a message a call.
import { WebSocket } from "ws";

export interface BareCalls {
  call(params: unknown): Promise<unknown>;
  close(): void;
}

export async function bareCalls(url: string): Promise<BareCalls> {
  const socket = new WebSocket(`${url}calls`, { perMessageDeflate: false });
  const pending = new Map<number, (result: unknown) => void>();
  let ids = 0;
  socket.on("message", (data: Buffer) => {
    const { id, result } = JSON.parse(data.toString()) as { id: number; result: unknown };
    const resolve = pending.get(id)!;
    pending.delete(id);
    resolve(result);
  });
  await new Promise((resolve) => socket.once("open", resolve));
  return {
    call: (params) =>
      new Promise((resolve) => {
        const id = ++ids;
        pending.set(id, resolve);
        socket.send(JSON.stringify({ jsonrpc: "2.0", id, method: "echo", params }));
      }),
    close: () => socket.close(),
  };
}

/** MB/s of `bytes` bytes from the peer, in messages of 64 KiB. */
export async function bareBytes(url: string, bytes: number): Promise<number> {
  const socket = new WebSocket(`${url}${bytes}`, { perMessageDeflate: false });
  let got = 0;
  let first = 0;
  socket.on("message", (data: Uint8Array) => {
    if (got === 0) first = performance.now();
    got += data.length;
  });
  await new Promise((resolve) => socket.once("close", resolve));
  return got / 1000 / (performance.now() - first);
}
