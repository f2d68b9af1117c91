import { complianceCases } from "@sluice/transport/compliance";
import { describe, expect, it } from "vitest";
import { directPair } from "./pairs.testing.ts";

describe("the frames wire, between a client and a handler in one process", () => {
  for (const one of complianceCases) {
    it(one.name, () => expect(one.run(() => directPair({ wire: "frames" }))).resolves.toBeUndefined());
  }
});
