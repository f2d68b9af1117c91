// The peer's side for rapace, over stdio: echoes calls and floods tunnels, in rapace's frames or in ours.
import process from "node:process";
import {
  dispatch,
  method,
  RpcSession,
  service,
  string,
  struct,
  u32,
  type PostcardType,
} from "@sluice/rapace";
import { serve, type Session } from "@sluice/session";
import { parent } from "@sluice/stdio";
import type { Transport } from "@sluice/transport";

const CHUNK = 64 * 1024;

const pair: PostcardType<{ readonly a: number; readonly b: string }> = struct({ a: u32, b: string });
const described = service("Bench", { echo: method([pair], pair), flood: method([u32], u32) });

export interface RapaceClient {
  echo(given: { readonly a: number; readonly b: string }): Promise<unknown>;
  /** Takes MiB and gives the channel of a tunnel that says as much. */
  flood(mib: number): Promise<number>;
}

export function rapaceClient(session: RpcSession): RapaceClient {
  return described.client(session);
}

export function rapaceServer(transport: Transport): RpcSession {
  const dispatcher = dispatch(
    described.serve({
      echo: (given) => given,
      flood: (mib, { session }) => {
        const tunnel = session.openTunnel();
        void flood(mib * 2 ** 20).pipeTo(tunnel.writable);
        return tunnel.channel;
      },
    }),
  );
  return new RpcSession(transport, { role: "acceptor", dispatcher });
}

export function nativeServer(transport: Transport): Promise<Session> {
  return serve(transport, {
    handlers: {
      echo: (params: unknown) => params,
      flood: ({ mib }: { mib: number }) => flood(mib * 2 ** 20),
    },
  });
}

function flood(bytes: number): ReadableStream<Uint8Array> {
  const chunk = new Uint8Array(CHUNK).fill(7);
  let left = bytes;
  return new ReadableStream({
    pull(controller): void {
      if (left <= 0) return controller.close();
      left -= CHUNK;
      controller.enqueue(chunk);
    },
  });
}

// The benchmark that imports this is called `rapace`, too, and its output is its own.
if (import.meta.main) {
  if (process.argv[2] === "rapace") rapaceServer(parent());
  else void nativeServer(parent());
}
