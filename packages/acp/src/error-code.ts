// The error codes of ACP, and the errors that carry them. Thrown by a handler they are the answer as they are.
import { RpcError } from "@sluice/core";

/** JSON-RPC's own codes and ACP's. Any other integer may come, too. */
export const AcpErrorCode: {
  readonly parseError: -32700;
  readonly invalidRequest: -32600;
  readonly methodNotFound: -32601;
  readonly invalidParams: -32602;
  readonly internalError: -32603;
  readonly requestCancelled: -32800;
  readonly authRequired: -32000;
  /** Also that of a session that is not known. */
  readonly resourceNotFound: -32002;
  /** From the second version of the protocol. */
  readonly unsupportedProtocolVersion: -32022;
} = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internalError: -32603,
  requestCancelled: -32800,
  authRequired: -32000,
  resourceNotFound: -32002,
  unsupportedProtocolVersion: -32022,
};

/** The message is no JSON. */
export function parseError(data?: unknown): RpcError {
  return new RpcError(AcpErrorCode.parseError, "Parse error", data);
}

/** The message is no request, or one that may not come now. */
export function invalidRequest(data?: unknown): RpcError {
  return new RpcError(AcpErrorCode.invalidRequest, "Invalid request", data);
}

/** Nobody here handles the method. */
export function methodNotFound(method: string): RpcError {
  return new RpcError(AcpErrorCode.methodNotFound, "Method not found", { method });
}

/** The params are not what the method takes. Say in `data` where and why; not what was sent. */
export function invalidParams(data?: unknown): RpcError {
  return new RpcError(AcpErrorCode.invalidParams, "Invalid params", data);
}

export function internalError(data?: unknown): RpcError {
  return new RpcError(AcpErrorCode.internalError, "Internal error", data);
}

/** The request was given up: its caller cancelled it, or what ran it is shutting down. */
export function requestCancelled(data?: unknown): RpcError {
  return new RpcError(AcpErrorCode.requestCancelled, "Request cancelled", data);
}

/** The client has to `authenticate` first. */
export function authRequired(data?: unknown): RpcError {
  return new RpcError(AcpErrorCode.authRequired, "Authentication required", data);
}

/** What the request names is not there. `data` is `{ uri }`. */
export function resourceNotFound(uri?: string): RpcError {
  return new RpcError(
    AcpErrorCode.resourceNotFound,
    "Resource not found",
    uri === undefined ? undefined : { uri },
  );
}

/** The session that the request names is not there. `data` is `{ sessionId }`. */
export function sessionNotFound(sessionId: string): RpcError {
  return new RpcError(AcpErrorCode.resourceNotFound, "Resource not found", { sessionId });
}

/** None of the versions `supported` is the `requested` one or an earlier one. `data` is both. */
export function unsupportedProtocolVersion(requested: number, supported: readonly number[]): RpcError {
  return new RpcError(AcpErrorCode.unsupportedProtocolVersion, "Unsupported protocol version", {
    requested,
    supported: [...supported],
  });
}
