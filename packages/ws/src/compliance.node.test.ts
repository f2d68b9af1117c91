import { complianceCases } from "@sluice/transport/compliance";
import { describe, expect, it } from "vitest";
import { pair } from "./pairs.testing.ts";

describe("sluice.v1", () => {
  for (const one of complianceCases)
    it(one.name, () => expect(one.run(() => pair(["sluice.v1"]))).resolves.toBeUndefined());
});

describe("jsonrpc, with chunks as JSON-RPC messages", () => {
  for (const one of complianceCases)
    it(one.name, () => expect(one.run(() => pair(["jsonrpc"], "text"))).resolves.toBeUndefined());
});

describe("no subprotocol, with text and binary messages as they are", () => {
  for (const one of complianceCases)
    it(one.name, () => expect(one.run(() => pair([]))).resolves.toBeUndefined());
});
