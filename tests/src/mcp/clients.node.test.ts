// One list of cases, whoever makes the requests: a fetch, this program, or another over a session, in each of its wires.
import { fetchClient } from "@sluice/exec";
import type { Fault } from "../../../packages/mcp/src/cases.testing.ts";
import { mcpCases } from "../../../packages/mcp/src/mcp-cases.testing.ts";
import { listen, type Serve } from "./place.ts";
import { local, remote, type Made } from "./remote.ts";

/** A server over sockets, and what makes requests to it. */
function over(make: () => Promise<Made>) {
  return async (serve: Serve): Promise<Made & { readonly url: string }> => {
    const server = await listen(serve);
    const made = await make();
    return {
      url: server.url,
      client: made.client,
      async close() {
        await made.close();
        await server.close();
      },
    };
  };
}

const close = async (): Promise<void> => {};

const faults: readonly Fault[] =
  "Deno" in globalThis ? ["posts twice"] : "Bun" in globalThis ? ["loses beginnings"] : [];

mcpCases(
  "the runtime's fetch",
  over(async () => ({ client: fetchClient(), close })),
  faults,
);
mcpCases("a local client", over(local));
mcpCases(
  "a remote client",
  over(() => remote("auto")),
);
mcpCases(
  "a remote client in codex's wire",
  over(() => remote("codex")),
);
