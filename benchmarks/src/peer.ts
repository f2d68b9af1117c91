// The peer's side: echoes calls and writes byte streams, over stdio or as a server that prints its URL.
import { serve } from "@sluice/session";
import { parent } from "@sluice/stdio";
import type { Transport } from "@sluice/transport";
import { serve as listen } from "@sluice/ws";
import process from "node:process";

const CHUNK = 64 * 1024;

const session = (transport: Transport): void =>
  void serve(transport, {
    handlers: {
      echo: (params: unknown) => params,
      flood: ({ bytes }: { bytes: number }) => flood(bytes),
    },
  });

if (process.argv[2] === "ws") console.log((await listen({ onSession: session })).url);
else session(parent());

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
