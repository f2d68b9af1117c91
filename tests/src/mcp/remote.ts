// An executor in this process, and a client of it: requests made at the other end of a session.
import { connect, type HttpClient } from "@sluice/exec";
import { createExecutor } from "@sluice/exec/executor";
import { localClient } from "@sluice/exec/local";
import { memoryPair } from "@sluice/transport";

export interface Made {
  readonly client: HttpClient;
  close(): Promise<void>;
}

export async function remote(wire: "auto" | "codex"): Promise<Made> {
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

export async function local(): Promise<Made> {
  const client = localClient();
  return { client, close: async () => client[Symbol.dispose]() };
}
