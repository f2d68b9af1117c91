// For programs.
export { RpcSession } from "./rpc-session.ts";
export type { CallOptions, RpcSessionOptions, StreamingCallOptions } from "./rpc-session.ts";
export { ItemStream } from "./item-stream.ts";
export type { Mapped } from "./mapped.ts";
export { Tunnel } from "./tunnel.ts";
export type { Answer, Dispatcher, IncomingRequest } from "./runner.ts";
export type { Chunks } from "./chunks.ts";
export type { ReadPolicy } from "./reader.ts";
export type { Stats } from "./stats.ts";
export { ErrorCode, RapaceError } from "./error.ts";
export { CancelledError, RefusedError, SessionError, TimeoutError } from "@sluice/core";
export type { Fault } from "@sluice/core";
export { StreamCode, StreamError } from "@sluice/streams";
export { LIMITS } from "./limits.ts";
export type { Limits } from "./limits.ts";
export { methodId } from "./method-id.ts";
export { dispatch, method, service, streamingMethod } from "./service.ts";
export type { Client, Implementation, Method, Methods, Served, Service, StreamingMethod } from "./service.ts";

// Postcard's types.
export { PostcardType } from "./postcard-type.ts";
export type { Form, ValueOf } from "./postcard-type.ts";
export { PostcardError } from "./postcard-bytes.ts";
export {
  bool,
  bytes,
  f32,
  f64,
  i128,
  i16,
  i32,
  i64,
  i8,
  string,
  u128,
  u16,
  u32,
  u64,
  u8,
  unit,
} from "./postcard-scalars.ts";
export {
  array,
  checked,
  enumeration,
  map,
  option,
  result,
  sequence,
  struct,
  tuple,
} from "./postcard-composites.ts";
