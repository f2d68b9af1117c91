// The fields of reset, stop, drain, grant, end, ping and pong: one reader for both encodings.
import { DecodeError, ErrorCode } from "./error.ts";
import { MAX_STREAM, type ControlFrame, type FrameType } from "./frame.ts";

/** Anything that is not a legal control frame of this type is an error that closes the session. */
export function readControl(type: FrameType, id: number, params: unknown): ControlFrame | DecodeError {
  if (typeof params !== "object" || params === null || Array.isArray(params))
    return protocolError("F1", type);
  const p = params as Record<string, unknown>;
  switch (type) {
    case "reset": {
      if (!isCode(p["code"]) || typeof p["message"] !== "string") return protocolError("F1", type);
      const reset = { type, id, code: p["code"], message: p["message"] } as const;
      return p["data"] === undefined ? reset : { ...reset, data: p["data"] };
    }
    case "stop":
      if (!isCode(p["code"]) || typeof p["message"] !== "string") return protocolError("F1", type);
      return { type, id, code: p["code"], message: p["message"] };
    case "end":
    case "grant":
      return isOffset(p["offset"]) ? { type, id, offset: p["offset"] } : protocolError("S5", type);
    case "ping":
    case "pong":
      return typeof p["token"] === "string" && /^[0-9a-f]{16}$/.test(p["token"])
        ? { type, token: p["token"] }
        : protocolError("F1", type);
    case "drain":
      if (!isOffset(p["call"]) || typeof p["reason"] !== "string") return protocolError("C6", type);
      return { type, call: p["call"], reason: p["reason"] };
    default:
      return protocolError("F1", type);
  }
}

export function isStreamId(id: unknown): id is number {
  return Number.isInteger(id) && (id as number) >= 1 && (id as number) <= MAX_STREAM;
}

/** S5: 0 to 2^53-1. */
function isOffset(offset: unknown): offset is number {
  return Number.isSafeInteger(offset) && (offset as number) >= 0;
}

function isCode(code: unknown): code is number {
  return Number.isSafeInteger(code) && (code as number) >= 0;
}

export function protocolError(rule: string, what: string, input?: Uint8Array): DecodeError {
  const options = input === undefined ? { fatal: true } : { fatal: true, input };
  return new DecodeError(rule, ErrorCode.invalidRequest, `malformed ${what} frame`, options);
}
