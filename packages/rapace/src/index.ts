// For programs.
export { RpcSession } from "./rpc-session.ts";
export type { CallOptions, RpcSessionOptions, StreamingCallOptions } from "./rpc-session.ts";
export { ItemStream } from "./item-stream.ts";
export { Tunnel } from "./tunnel.ts";
export type { Answer, Dispatcher, IncomingRequest } from "./runner.ts";
export type { Chunks } from "./chunks.ts";
export type { ReadPolicy } from "./reader.ts";
export type { Stats } from "./stats.ts";
export { ErrorCode, RapaceError } from "./error.ts";
export { LIMITS } from "./limits.ts";
export type { Limits } from "./limits.ts";
export { methodId } from "./method-id.ts";
