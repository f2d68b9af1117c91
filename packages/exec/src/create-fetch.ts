// An HttpClient as a `fetch`, to be handed to any library: it cannot tell who makes its requests (Fetch standard).
import { decoded } from "./decoded-body.ts";
import type { HttpClient, HttpHeader, HttpRequest, StreamedResponse } from "./http-client.ts";

export interface CreateFetchOptions {
  /**
   * Whether bodies are decoded as their `content-encoding` says, where they are gzip or deflate, as a runtime's own
   * `fetch` does (up to five codings of one body; more reject); and whether servers are asked for such bodies. Default true.
   */
  readonly decode?: boolean;
}

/**
 * A `fetch` whose requests `client` makes. Rejects as `fetch` does: with a `TypeError` whose cause is the `HttpError`, or
 * the reason of the signal. A request's body is streamed where the client can.
 *
 * What belongs to browsers (`mode`, `credentials`, `cache`, `integrity`, `keepalive`, `referrer`) is passed over.
 * `redirect: "manual"` gives the redirect as it is, with status and headers, as Node, Deno and Bun do.
 */
export function createFetch(client: HttpClient, options: CreateFetchOptions = {}): typeof fetch {
  const { decode = true } = options;
  return async (input, init) => {
    const request = new Request(input, withDuplex(init));
    request.signal.throwIfAborted();
    let response: StreamedResponse;
    try {
      const body = streams(input, init) ? request.body : await wholeBody(request);
      response = await client.requestStream({ ...requestOf(request, decode), body: body ?? undefined });
    } catch (cause) {
      throw failed(cause, request.signal);
    }
    const redirected = response.url !== withoutFragment(request.url);
    if (request.redirect === "error" && isRedirect(response.status)) {
      response.body.cancel().catch(() => {}); // nobody reads it
      throw new TypeError("fetch failed: a redirect, and this request takes none");
    }
    try {
      return responseOf(response, request, redirected, decode);
    } catch (cause) {
      response.body.cancel().catch(() => {}); // nobody reads it
      throw failed(cause, request.signal);
    }
  };
}

/** Statuses whose responses have no body (Fetch standard, null body status). */
const NULL_BODY: ReadonlySet<number> = new Set([101, 103, 204, 205, 304]);

// A body that is a stream has to say that it is sent before its answer is read; only one value is allowed.
function withDuplex(init: RequestInit | undefined): RequestInit | undefined {
  return init?.body instanceof ReadableStream ? ({ duplex: "half", ...init } as RequestInit) : init;
}

/** Whether the body is one that comes by and by. Others have a length, which some servers want to know. */
function streams(input: RequestInfo | URL, init: RequestInit | undefined): boolean {
  const given = init?.body ?? undefined;
  return given === undefined ? input instanceof Request : given instanceof ReadableStream;
}

async function wholeBody(request: Request): Promise<Uint8Array | undefined> {
  return request.body === null ? undefined : new Uint8Array(await request.arrayBuffer());
}

function requestOf(request: Request, decode: boolean): HttpRequest {
  const headers: HttpHeader[] = [...request.headers].map(([name, value]) => [name, value]);
  const add = (name: string, value: string): void => {
    if (!request.headers.has(name)) headers.push([name, value]);
  };
  add("accept", "*/*");
  if (decode) add("accept-encoding", "gzip, deflate");
  return {
    method: request.method,
    url: request.url,
    headers,
    redirect: request.redirect === "follow" ? "follow" : "stop",
    signal: request.signal,
  };
}

function responseOf(
  response: StreamedResponse,
  request: Request,
  redirected: boolean,
  decode: boolean,
): Response {
  const { status, statusText, headers, url } = response;
  const made = status >= 200 && status <= 599 ? status : 200; // no program may make another; servers do
  const init = { status: made, statusText: printable(statusText), headers: headersOf(headers) };
  const bodyless = request.method === "HEAD" || NULL_BODY.has(status);
  if (bodyless) response.body.cancel().catch(() => {}); // there is none
  const body = bodyless ? null : decode ? decoded(response.body, init.headers) : response.body;
  return Object.defineProperties(new Response(body, init), {
    url: { value: url },
    redirected: { value: redirected },
    ...(made !== status && { status: { value: status }, ok: { value: false } }),
  });
}

function headersOf(list: readonly HttpHeader[]): Headers {
  const headers = new Headers();
  for (const [name, value] of list) headers.append(name, value);
  return headers;
}

/** A Response takes no other characters (Fetch standard, reason-phrase). */
function printable(text: string): string {
  return text.replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, "");
}

function isRedirect(status: number): boolean {
  return [301, 302, 303, 307, 308].includes(status);
}

function withoutFragment(url: string): string {
  return url.replace(/#.*$/s, "");
}

function failed(cause: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new TypeError(`fetch failed: ${why}`, { cause });
}
