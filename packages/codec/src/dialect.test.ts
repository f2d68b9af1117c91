import { expect, it } from "vitest";
import { acp, cancelledId, cancelParams, codex, jsonrpc, lsp, mcp } from "./dialect.ts";

it("only the plain dialect greets (H5)", () => {
  expect([jsonrpc, lsp, acp, mcp, codex].filter((dialect) => dialect.greets)).toEqual([jsonrpc]);
});

it.each([
  [jsonrpc, "$/cancelRequest", { id: 7 }],
  [lsp, "$/cancelRequest", { id: 7 }],
  [acp, "$/cancel_request", { requestId: 7 }],
  [mcp, "notifications/cancelled", { requestId: 7 }],
])("C3: a cancel as $name spells it", ({ cancel }, method, params) => {
  expect(cancel?.method).toBe(method);
  expect(cancelParams(cancel!, 7)).toEqual(params);
  expect(cancelledId(cancel!, params)).toBe(7);
});

it("codex has no cancel", () => {
  expect(codex.cancel).toBe(undefined);
});

it("a cancel with bad params names no call", () => {
  const spelling = { method: "cancel", member: "constructor" };
  const bad = [
    undefined,
    null,
    1,
    "7",
    [],
    {},
    { constructor: null },
    { constructor: {} },
    { constructor: [7] },
  ];
  for (const params of bad) expect(cancelledId(spelling, params)).toBe(undefined);
  expect(cancelledId(spelling, { constructor: "7" })).toBe("7");
});
