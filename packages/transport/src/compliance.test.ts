import { describe, it } from "vitest";
import { compliancePeer, complianceCases, remoteCases, type Pair } from "./compliance.ts";
import { memoryPair } from "./memory.ts";

const dispose = async (): Promise<void> => {};

const kinds: Record<string, () => Pair> = {
  "a memory pair of bytes": () => pair("bytes"),
  "a memory pair of messages": () => pair("messages"),
};

function pair(unit: "bytes" | "messages"): Pair {
  const [left, right] = memoryPair({ unit });
  return { left, right, dispose };
}

for (const [kind, make] of Object.entries(kinds)) {
  describe(kind, () => {
    for (const one of complianceCases) it(one.name, () => one.run(async () => make()), 30_000);
  });
}

describe("the remote cases over a memory pair", () => {
  for (const one of remoteCases) {
    it(one.name, () =>
      one.run(async () => {
        const [near, far] = memoryPair();
        void compliancePeer(far);
        return { near, dispose };
      }),
    );
  }
});
