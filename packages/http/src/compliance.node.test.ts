import { complianceCases } from "@sluice/transport/compliance";
import { describe, expect, it } from "vitest";
import { socketPair } from "./serve.testing.ts";

for (const upload of ["posts", "stream"] as const) {
  describe(`the frames wire over sockets, sent as ${upload}`, () => {
    for (const one of complianceCases) {
      it(one.name, () =>
        expect(one.run(() => socketPair({ wire: "frames", upload }))).resolves.toBeUndefined(),
      );
    }
  });
}
