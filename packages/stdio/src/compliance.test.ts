import { remoteCases } from "@sluice/transport/compliance";
import { describe, it } from "vitest";
import { absence, own, runtimes, spawnFixture } from "./fixtures/runtimes.ts";

for (const runtime of runtimes) {
  describe.skipIf(absence(runtime) !== undefined)(`a ${own} parent with a ${runtime} child`, () => {
    for (const one of remoteCases) {
      it(one.name, { timeout: 30_000 }, () =>
        one.run(async () => {
          const near = spawnFixture("compliance", [], {}, runtime);
          const dispose = async (): Promise<void> => {
            near.abort();
            await near.exited;
          };
          return { near, dispose };
        }),
      );
    }
  });
}
