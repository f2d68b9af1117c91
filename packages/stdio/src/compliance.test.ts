import { remoteCases, type RemotePair } from "@sluice/transport/compliance";
import { describe, expect, it } from "vitest";
import { absence, own, runtimes, spawnFixture, type Runtime } from "./fixtures/runtimes.ts";

async function make(runtime: Runtime): Promise<RemotePair> {
  const near = spawnFixture("compliance", [], {}, runtime);
  const dispose = async (): Promise<void> => {
    near.abort();
    await near.exited;
  };
  return { near, dispose };
}

for (const runtime of runtimes) {
  describe.skipIf(absence(runtime) !== undefined)(`a ${own} parent with a ${runtime} child`, () => {
    for (const one of remoteCases) {
      it(one.name, () => expect(one.run(() => make(runtime))).resolves.toBeUndefined());
    }
  });
}
