// The child's side: echoes calls and writes streams of zeros.
import { serve } from "@sluice/session";
import { parent } from "@sluice/stdio";

const CHUNK = 64 * 1024;

await serve(parent(), {
  handlers: {
    echo: (params: unknown) => params,
    flood: ({ bytes }: { bytes: number }) => flood(bytes),
  },
});

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
