// The other end: a program that is spoken to over its standard input and output.
import { createHash } from "node:crypto";
import { serve, type HandlerContext } from "@sluice/session";
import { parent } from "@sluice/stdio";

const CHUNK = 64 * 1024;

await serve(parent(), {
  name: "demo peer",
  handlers: {
    "math/add": ({ a, b }: { a: number; b: number }) => a + b,
    // Calls back before it answers.
    "clock/compare": async (_params: unknown, { session }: HandlerContext) => {
      const theirs = await session.call<number>("clock/now");
      return { theirs, ours: Date.now() };
    },
    "file/receive": async ({ body }: { body: AsyncIterable<Uint8Array> }) => {
      const hash = createHash("sha256");
      let bytes = 0;
      for await (const chunk of body) {
        hash.update(chunk);
        bytes += chunk.length;
      }
      return { bytes, sha256: hash.digest("hex") };
    },
    "bytes/endless": () => endless(),
    "call/never": () => new Promise(() => {}),
    stats: (_params: unknown, { session }: HandlerContext) => session.stats(),
  },
});

function endless(): ReadableStream<Uint8Array> {
  const chunk = new Uint8Array(CHUNK).fill(7);
  return new ReadableStream({ pull: (controller) => controller.enqueue(chunk) });
}
