import { RpcError } from "@sluice/core";
import { expect, it } from "vitest";
import * as acp from "./index.ts";

it.each([
  [acp.parseError(), -32700, "Parse error", undefined],
  [acp.invalidRequest(), -32600, "Invalid request", undefined],
  [acp.methodNotFound("a/b"), -32601, "Method not found", { method: "a/b" }],
  [acp.invalidParams({ path: "a" }), -32602, "Invalid params", { path: "a" }],
  [acp.internalError(), -32603, "Internal error", undefined],
  [acp.requestCancelled(), -32800, "Request cancelled", undefined],
  [acp.authRequired({ authMethods: [] }), -32000, "Authentication required", { authMethods: [] }],
  [acp.resourceNotFound("file:///a"), -32002, "Resource not found", { uri: "file:///a" }],
  [acp.resourceNotFound(), -32002, "Resource not found", undefined],
  [acp.sessionNotFound("s"), -32002, "Resource not found", { sessionId: "s" }],
  [
    acp.unsupportedProtocolVersion(3, [1, 2]),
    -32022,
    "Unsupported protocol version",
    { requested: 3, supported: [1, 2] },
  ],
])("%s is an error as it goes on the wire", (error, code, message, data) => {
  expect(error).toBeInstanceOf(RpcError);
  expect(error.toObject()).toEqual(data === undefined ? { code, message } : { code, message, data });
  expect(Object.values(acp.AcpErrorCode)).toContain(code);
});
