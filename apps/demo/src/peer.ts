// The other end: a program that is spoken to over its standard input and output, or that serves and prints its URL.
import { createHash } from "node:crypto";
import process from "node:process";
import { serve as serveHttp } from "@sluice/http";
import { serve, type HandlerContext, type SessionOptions } from "@sluice/session";
import { parent } from "@sluice/stdio";
import type { Transport } from "@sluice/transport";
import { serve as serveWs } from "@sluice/ws";

const CHUNK = 64 * 1024;

const options: SessionOptions = {
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
};

const [transport] = process.argv.slice(2);
const onSession = (one: Transport): void => void serve(one, options);
if (transport === "ws") console.log((await serveWs({ onSession })).url);
else if (transport === "http") console.log((await serveHttp({ onSession })).url);
else await serve(parent(), options);

function endless(): ReadableStream<Uint8Array> {
  const chunk = new Uint8Array(CHUNK).fill(7);
  return new ReadableStream({ pull: (controller) => controller.enqueue(chunk) });
}
