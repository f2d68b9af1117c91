import { describe, expect, it } from "vitest";
import { choose, PROTOCOLS } from "./protocols.ts";

describe("H4: a subprotocol", () => {
  it.each([
    ["sluice.v1", "sluice.v1"],
    ["jsonrpc", "jsonrpc"],
    ["jsonrpc, sluice.v1", "sluice.v1"],
    ["jsonrpc,sluice.v1", "sluice.v1"],
    [" chat ,\tjsonrpc", "jsonrpc"],
  ])("is the server's best of what is offered: %j", (offered, chosen) => {
    expect(choose(offered, PROTOCOLS)).toBe(chosen);
  });

  it.each([undefined, null, "", "  "])("is none where none is offered: %j", (offered) => {
    expect(choose(offered, PROTOCOLS)).toBeUndefined();
  });

  it.each(["chat", "Sluice.v1", "sluice.v1x, xjsonrpc", "sluice.v1;jsonrpc", ","])(
    "in common there is none: %j",
    (offered) => {
      expect(choose(offered, PROTOCOLS)).toBeNull();
    },
  );

  it("is one of those the server speaks", () => {
    expect(choose("sluice.v1, jsonrpc", ["jsonrpc"])).toBe("jsonrpc");
    expect(choose("sluice.v1", ["jsonrpc"])).toBeNull();
    expect(choose("jsonrpc", [])).toBeNull();
  });
});
