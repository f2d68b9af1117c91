// A `fetch` as an HttpClient: in browsers the only way out, elsewhere for a `fetch` one already has. What fetch hides
// stays hidden: bodies come decoded, repeated headers joined (`set-cookie` excepted), redirects stop as fetch stops them.
import type {
  BufferedResponse,
  HttpClient,
  HttpHeader,
  HttpRequest,
  HttpResponse,
  StreamedResponse,
} from "./http-client.ts";
import { HttpError } from "./http-error.ts";
import { collect } from "./collect.ts";
import { Deadlines } from "./http-deadlines.ts";
import { checkHeaders, checkMethod, parseUrl } from "./http-headers.ts";
import { withTrace } from "./http-trace.ts";
import { emptyBody, guardedBody, sourceOf } from "./response-body.ts";

/** What sends a request: the runtime's `fetch`, or anything that answers as it does. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface FetchClientOptions {
  /** Default: the runtime's own. */
  readonly fetch?: Fetch;
  /** Bytes that `request` keeps. Beyond: an `HttpError` of kind `overflow`. Default 64 MiB. */
  readonly maxBody?: number;
}

/** Requests made with a `fetch`. */
export function fetchClient(options: FetchClientOptions = {}): HttpClient {
  return new FetchClient(options);
}

class FetchClient implements HttpClient {
  readonly #fetch: Fetch;
  readonly #maxBody: number;

  constructor({
    fetch = (url, init) => globalThis.fetch(url, init),
    maxBody = MAX_BODY,
  }: FetchClientOptions) {
    this.#fetch = fetch;
    this.#maxBody = maxBody;
  }

  async request(request: HttpRequest): Promise<BufferedResponse> {
    return collect(await this.requestStream(request), this.#maxBody);
  }

  async requestStream(request: HttpRequest): Promise<StreamedResponse> {
    const { url, method = "GET", headers = [], body: sent } = request;
    const deadlines = new Deadlines(request);
    let response: Response;
    try {
      checkMethod(method);
      parseUrl(url);
      checkHeaders(headers);
      response = await this.#fetch(url, initOf(request, deadlines.signal));
    } catch (cause) {
      if (sent instanceof ReadableStream && !sent.locked) sent.cancel(cause).catch(() => {});
      throw deadlines.why(cause, "http/request failed");
    }
    const { body } = response;
    const guarded = body === null ? emptyBody(deadlines) : guardedBody(sourceOf(body), deadlines);
    return { ...headOf(response, request.url), body: guarded, [Symbol.asyncDispose]: () => guarded.cancel() };
  }
}

const MAX_BODY = 64 * 1024 * 1024;

function initOf(request: HttpRequest, signal: AbortSignal): RequestInit {
  const { method = "GET", headers = [], body, redirect, trace } = request;
  const init: RequestInit & { duplex?: "half" } = {
    method,
    headers: withTrace(headers, trace).map(([name, value]): [string, string] => [name, value]),
    redirect: redirect === "stop" ? "manual" : "follow",
    signal,
  };
  if (body !== undefined) init.body = body as BodyInit;
  if (body instanceof ReadableStream) init.duplex = "half";
  return init;
}

function headOf(response: Response, url: string): HttpResponse {
  const { status, statusText, headers } = response;
  if (response.type === "opaqueredirect")
    throw new HttpError("refused", "this fetch does not show redirects: they can only be followed");
  const list: HttpHeader[] = [...headers].map(([name, value]) => [name, value]);
  return { status, statusText, headers: list, url: response.url === "" ? url : response.url };
}
