import { remoteCases, type RemotePair } from "@sluice/transport/compliance";
import { describe, expect, it } from "vitest";
import { dial } from "./dial.ts";
import { absence, own, runtimes, startServer, type Runtime } from "./fixtures/runtimes.ts";
import type { DialOptions } from "./options.ts";

async function make(runtime: Runtime, upload: DialOptions["upload"] & string): Promise<RemotePair> {
  const server = await startServer("serve-compliance", ["--wire", "frames"], runtime);
  const near = dial(server.url, { wire: "frames", upload });
  const dispose = async (): Promise<void> => {
    near.abort();
    await server.kill();
  };
  return { near, dispose };
}

for (const runtime of runtimes) {
  for (const upload of ["posts", "stream"] as const) {
    describe.skipIf(absence(runtime) !== undefined)(
      `a ${own} client that sends ${upload}, with a ${runtime} server`,
      () => {
        for (const one of remoteCases)
          it(one.name, () => expect(one.run(() => make(runtime, upload))).resolves.toBeUndefined());
      },
    );
  }
}
