// One list of cases, whoever makes the requests: a fetch, this program, or another over a session, in each of its wires.
import { connect, fetchClient, type HttpClient } from "@sluice/exec";
import { createExecutor } from "@sluice/exec/executor";
import { localClient } from "@sluice/exec/local";
import { memoryPair } from "@sluice/transport";
import type { Fault } from "../../../packages/mcp/src/cases.testing.ts";
import { mcpCases } from "../../../packages/mcp/src/mcp-cases.testing.ts";
import { listen, type Serve } from "./place.ts";

interface Made {
  readonly client: HttpClient;
  close(): Promise<void>;
}

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

async function local(): Promise<Made> {
  const client = localClient();
  return { client, close: async () => client[Symbol.dispose]() };
}

/** Requests made at the other end of a session. */
async function remote(wire: "auto" | "codex"): Promise<Made> {
  const http = localClient();
  const executor = createExecutor({ http });
  const [left, right] = memoryPair();
  executor.accept(right);
  const client = await connect(left, { wire });
  return {
    client: client.http,
    async close() {
      await client.close();
      await executor.close();
      http[Symbol.dispose]();
    },
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
