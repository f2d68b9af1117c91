// How a request and its response are written between two ends (PROTOCOL.md, X; codex-exec-server's own where not said
// otherwise). Both ends read this file.
import { ErrorCode } from "@sluice/codec";
import type { HttpErrorKind } from "./http-error.ts";

export const HTTP_REQUEST = "http/request";
export const HTTP_CANCEL = "http/request/cancel";
export const BODY_DELTA = "http/request/bodyDelta";

/** The capability of an executor that has `http/request/cancel` (X3). */
export const CANCEL_CAPABILITY = "httpRequestCancel";

/** Bytes of one delta. */
export const MAX_DELTA: number = 1024 * 1024;

interface WireHeader {
  readonly name: string;
  readonly value: string;
  /** A variable of the executor's environment; its value follows `value`. */
  readonly valueEnvVar?: string | null | undefined;
}

export interface HttpRequestParams {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly WireHeader[];
  readonly bodyBase64?: string | null | undefined;
  /** ms; absent or null: no timeout. */
  readonly timeoutMs?: number | null | undefined;
  readonly redirectPolicy?: "follow" | "stop" | undefined;
  readonly requestId: string;
  readonly streamResponse?: boolean | undefined;
  /** X1: in place of `bodyBase64`. */
  readonly body?: ReadableStream<Uint8Array> | undefined;
  /** X2. */
  readonly timeouts?:
    | { readonly headersMs?: number | undefined; readonly idleMs?: number | undefined }
    | undefined;
}

export interface HttpRequestResult {
  readonly status: number;
  readonly headers: readonly WireHeader[];
  readonly bodyBase64: string;
  /** X1: in place of deltas. */
  readonly body?: ReadableStream<Uint8Array> | undefined;
  /** X2. */
  readonly statusText?: string | undefined;
  readonly url?: string | undefined;
}

export interface BodyDeltaParams {
  readonly requestId: string;
  readonly seq: number;
  readonly deltaBase64: string;
  readonly done: boolean;
  readonly error: string | null;
}

/** X4: what a body's stream is reset with. */
export const BODY_CODES: Readonly<Partial<Record<HttpErrorKind, number>>> = {
  upstream: 1001,
  timeout: 1002,
  cancelled: 1003,
  overflow: 1004,
  refused: 1005,
};

/** The error that answers a request. The kind goes along in `data` where both ends greeted (X2). */
export const ANSWER_CODES: Readonly<Record<HttpErrorKind, number>> = {
  invalid: ErrorCode.invalidParams,
  refused: ErrorCode.invalidParams,
  cancelled: ErrorCode.cancelled,
  upstream: ErrorCode.internal,
  timeout: ErrorCode.internal,
  overflow: ErrorCode.internal,
  disconnected: ErrorCode.internal,
  protocol: ErrorCode.internal,
};
