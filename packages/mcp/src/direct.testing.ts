import { fetchClient } from "@sluice/exec";
import type { MakePlace } from "./stage.testing.ts";

/** A `fetch` that is the server itself. */
export const direct: MakePlace = async (serve) => {
  const client = fetchClient({
    fetch: async (url, init) => {
      const { redirect: _, signal, ...rest } = init;
      const answering = serve(new Request(url, rest)).catch((cause: unknown) => {
        throw new TypeError("fetch failed", { cause });
      });
      return within(answering, signal ?? undefined);
    },
  });
  return { client, url: "http://127.0.0.1/mcp", close: async () => {} };
};

/** As a real `fetch`, it rejects when its signal aborts. */
async function within(answering: Promise<Response>, signal: AbortSignal | undefined): Promise<Response> {
  if (signal === undefined) return answering;
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
    answering.then(resolve, reject);
  });
}
