import { expect, it } from "vitest";
import { buildHeaders, mirroredHeaders } from "./headers.ts";

it("the later wins, and takes the later's place", async () => {
  const built = await buildHeaders({
    defaults: () => ({
      Accept: "a",
      "X-One": "1",
      Authorization: "a",
      "Mcp-Session-Id": "a",
      "MCP-Protocol-Version": "a",
    }),
    token: () => "t",
    own: { "x-one": "2", "Content-Type": "a", "x-two": "2" },
    accept: "accept",
    contentType: "json",
    session: "s",
    version: "v",
    lastEventId: "e",
  });
  expect(built).toEqual([
    ["mcp-protocol-version", "v"],
    ["x-one", "2"],
    ["x-two", "2"],
    ["accept", "accept"],
    ["content-type", "json"],
    ["authorization", "Bearer t"],
    ["mcp-session-id", "s"],
    ["last-event-id", "e"],
  ]);
});

it("what is not there is no header, and hides none", async () => {
  const built = await buildHeaders({
    defaults: { authorization: "Basic x" },
    token: async () => undefined,
    session: undefined,
    version: undefined,
  });
  expect(built).toEqual([["authorization", "Basic x"]]);
});

it("a request that says its version in _meta says it in headers, too, with its method and name", () => {
  const params = (name: unknown): object => ({
    name,
    _meta: { "io.modelcontextprotocol/protocolVersion": "2026-07-28" },
  });
  const headers = (name: unknown, method: string = "tools/call"): unknown =>
    mirroredHeaders({ id: 1, method, params: params(name) });
  const both = { "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call" };
  expect(headers("add")).toEqual({ ...both, "mcp-name": "add" });
  expect(headers("a b")).toEqual({ ...both, "mcp-name": "a b" });
  expect(headers("ä")).toEqual({ ...both, "mcp-name": "=?base64?w6Q=?=" });
  expect(headers(" a")).toEqual({ ...both, "mcp-name": "=?base64?IGE=?=" });
  expect(headers("a\r\nb")).toEqual({ ...both, "mcp-name": "=?base64?YQ0KYg==?=" });
  expect(headers("=?base64?x?=")).toEqual({ ...both, "mcp-name": "=?base64?PT9iYXNlNjQ/eD89?=" });
  const long = "ä".repeat(200_000);
  expect(headers(long)).toEqual({ ...both, "mcp-name": `=?base64?${"w6TDpMOk".repeat(66_666)}w6TDpA==?=` });
  expect(headers(1)).toEqual(both);
  expect(headers("add", "ping")).toEqual({ ...both, "mcp-method": "ping" });
  expect(headers("add", "__proto__")).toEqual({ ...both, "mcp-method": "__proto__" });
  expect(mirroredHeaders({ id: 1, method: "tools/call", params: { name: "add" } })).toEqual({});
  expect(mirroredHeaders({ method: "notifications/x", params: params("add") })).toEqual({});
});
