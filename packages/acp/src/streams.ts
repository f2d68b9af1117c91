// Between two Sluice ends: what ACP passes as strings, whole or by polling, as streams with credit, gone on both ends the moment
// their holder lets go. Whoever handles these declares `streams`; whoever calls them has seen it declared. The client connects
// with `{ streams: true }`.
import { request, type RequestType } from "@sluice/session/builder";
import { MetaCapability } from "./meta-capability.ts";

/** Said in the `_meta` of the capabilities of both, by ends that handle these methods: `_meta.sluice.streams`. */
export const streams: MetaCapability = new MetaCapability("sluice", "streams");

/** All that a terminal has printed and prints until it ends, as bytes. */
export interface TerminalStreamRequest {
  readonly sessionId: string;
  readonly terminalId: string;
}
export interface TerminalStreamResponse {
  readonly output: ReadableStream<Uint8Array>;
}
/** Client's. In the place of `terminal/output`, which is polled and forgets what is past its limit. */
export const TerminalStreamRequest: RequestType<TerminalStreamRequest, TerminalStreamResponse> =
  request("_sluice/terminal/stream");

/** A file's content as bytes, of any size. */
export interface ReadFileRequest {
  readonly sessionId: string;
  /** Absolute. */
  readonly path: string;
}
export interface ReadFileResponse {
  readonly content: ReadableStream<Uint8Array>;
}
/** Client's. In the place of `fs/read_text_file`. */
export const ReadFileRequest: RequestType<ReadFileRequest, ReadFileResponse> =
  request("_sluice/fs/read_file");

/** Writes a file; answered once it is written. */
export interface WriteFileRequest {
  readonly sessionId: string;
  /** Absolute. */
  readonly path: string;
  readonly content: ReadableStream<Uint8Array>;
}
/** Client's. In the place of `fs/write_text_file`. */
export const WriteFileRequest: RequestType<WriteFileRequest, Record<string, never>> = request(
  "_sluice/fs/write_file",
);
