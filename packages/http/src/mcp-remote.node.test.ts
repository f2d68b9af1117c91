import { asText, remoteCases, type RemotePair } from "@sluice/transport/compliance";
import { describe, expect, it } from "vitest";
import { dial } from "./dial.ts";
import { absence, own, runtimes, startServer, type Runtime } from "./fixtures/runtimes.ts";

async function make(runtime: Runtime): Promise<RemotePair> {
  const server = await startServer("serve-compliance", ["--wire", "mcp"], runtime);
  const near = asText(dial(server.url, { limits: { backoff: [10, 100] } }), "initiator");
  const dispose = async (): Promise<void> => {
    near.abort();
    await server.kill();
  };
  return { near, dispose };
}

for (const runtime of runtimes) {
  describe.skipIf(absence(runtime) !== undefined)(
    `a ${own} client over the mcp wire, with a ${runtime} server`,
    () => {
      for (const one of remoteCases)
        it(one.name, () => expect(one.run(() => make(runtime))).resolves.toBeUndefined());
    },
  );
}
