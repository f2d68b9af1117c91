// Messages.
export { classify, parseMessage } from "./message.ts";
export type {
  AnswerMessage,
  Batch,
  ErrorMessage,
  ErrorObject,
  Id,
  InvalidMessage,
  Message,
  NotificationMessage,
  Params,
  RequestMessage,
  ResultMessage,
} from "./message.ts";
export { rounded } from "./big-integer.ts";
export { encodeError, encodeNotification, encodeRequest, encodeResult } from "./encode.ts";
export type { Extras } from "./encode.ts";
export { acp, cancelledId, cancelParams, codex, jsonrpc, lsp, mcp } from "./dialect.ts";
export type { CancelSpelling, Dialect } from "./dialect.ts";
export { DecodeError, ErrorCode, printable } from "./error.ts";
export { DATA_LIMIT, DECODE_LIMITS } from "./limits.ts";
export type { DecodeLimits } from "./limits.ts";
export { tooDeep } from "./depth.ts";

// Bytes.
export { ByteQueue } from "./byte-queue.ts";
export type { Framing } from "./framing.ts";
export { Lines } from "./lines.ts";
export { Headers } from "./headers.ts";
export { Output } from "./output.ts";
export { fromBase64, toBase64 } from "./base64.ts";
export { decodeUtf8, utf8Length } from "./utf8.ts";

// Sluice's own frames.
export { FrameReader } from "./frame-reader.ts";
export type { FrameRead } from "./frame-reader.ts";
export { bytesToJson, frameOf, frameToJson, itemToJson, partToJson } from "./frame-json.ts";
export { FRAME_TYPE, HEADER, MAX_STREAM } from "./frame.ts";
export type {
  ControlFrame,
  DataFrame,
  DrainFrame,
  EndFrame,
  FrameType,
  GrantFrame,
  PingFrame,
  ResetFrame,
  StopFrame,
  StreamFrame,
} from "./frame.ts";
