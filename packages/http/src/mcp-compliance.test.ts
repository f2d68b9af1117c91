import { complianceCases } from "@sluice/transport/compliance";
import { describe, expect, it } from "vitest";
import { mcpPair } from "./mcp-pairs.testing.ts";

describe("the mcp wire, between a client and a handler in one process", () => {
  for (const one of complianceCases) {
    it(one.name, () => expect(one.run(() => mcpPair())).resolves.toBeUndefined());
  }
});
