// What makes HTTP requests: this program itself (`@sluice/exec/local`), the other end of a session (`connect`), or a
// `fetch` (`fetchClient`). Code that is handed one cannot tell which.

import type { TraceContext } from "./http-trace.ts";

/** A header as it is on the wire: in its order, a repeated one as often as it came. */
export type HttpHeader = readonly [name: string, value: string];

/** Times in ms. Default of each: none. What passes one fails with an `HttpError` of kind `timeout`. */
export interface HttpTimeouts {
  /** From the start to the last byte of the body. */
  readonly total?: number;
  /** From the start to the response's headers. */
  readonly headers?: number;
  /** While the body is being read: between two pieces of it. */
  readonly idle?: number;
}

export interface HttpRequest {
  /** Absolute, http or https. The fragment is not sent. */
  readonly url: string;
  /** Default `GET`. */
  readonly method?: string;
  readonly headers?: readonly HttpHeader[];
  /** A stream is read as it is sent, and cancelled if it is not wanted any more. */
  readonly body?: Uint8Array | ReadableStream<Uint8Array> | undefined;
  /** `follow` (default): up to 10 redirects, as browsers do. `stop`: a redirect is the response. */
  readonly redirect?: "follow" | "stop";
  readonly timeouts?: HttpTimeouts;
  /**
   * Whose request it is (W3C Trace Context): the headers of these names, unless it has one of them itself. What is
   * malformed, or longer than 512 characters, is left out. Told to an executor that greeted beside the params (C5).
   */
  readonly trace?: TraceContext | undefined;
  /** Gives up the request, and after the headers the body, with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Status and headers. Names of headers may be in lower case; bodies are not decoded, whatever `content-encoding` says. */
export interface HttpResponse {
  readonly status: number;
  /** Empty where who made the request does not tell. */
  readonly statusText: string;
  readonly headers: readonly HttpHeader[];
  /** Where it came from, after redirects; the request's where who made it does not tell. */
  readonly url: string;
}

export interface BufferedResponse extends HttpResponse {
  readonly body: Uint8Array;
}

/** Disposing of it lets go of the body. */
export interface StreamedResponse extends HttpResponse, AsyncDisposable {
  /**
   * To be read or cancelled. Cancelled, or its signal aborted: the request ends where it is made. What arrived before
   * an error is read first; the error is an `HttpError`. A body that was cut short never ends as if it were whole.
   */
  readonly body: ReadableStream<Uint8Array>;
}

/** Both reject with an `HttpError`, or the reason of the signal. A status such as 404 or 500 is no error. */
export interface HttpClient {
  /** The whole body in memory, at most as much as the client's limit says. */
  request(request: HttpRequest): Promise<BufferedResponse>;
  /** Settles with status and headers; the body comes as it is read. */
  requestStream(request: HttpRequest): Promise<StreamedResponse>;
}
