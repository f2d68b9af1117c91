// Redirects, followed here and not by who makes the request: what names the session must not go to another origin, nor
// in the clear to a name that anybody may answer to. Each hop is asked for with `redirect: "stop"`.
import type { HttpClient, HttpHeader, HttpRequest, StreamedResponse } from "@sluice/exec";
import type { Clock } from "./clock.ts";
import { headerOf } from "./headers.ts";
import { McpError } from "./mcp-error.ts";
import { letGo } from "./read-body.ts";

export interface RedirectOptions {
  readonly client: HttpClient;
  /** Hops; beyond: an `McpError` of kind `redirect`. */
  readonly most: number;
  readonly clock: Clock;
}

/** The first response that leads nowhere else. `timeouts.total` is that of all hops together. */
export async function sendWithinOrigin(
  request: HttpRequest,
  { client, most, clock }: RedirectOptions,
): Promise<StreamedResponse> {
  const { origin } = new URL(request.url);
  const start = clock.now();
  let next = request;
  for (let hops = 0; ; hops++) {
    const response = await client.requestStream({ ...next, redirect: "stop" });
    const location = headerOf(response, "location");
    if (!REDIRECTS.includes(response.status) || location === undefined) return response;
    await letGo(response);
    if (hops === most) throw refused(response, `more than ${most} redirects (limits.redirects)`);
    next = { ...redirected(next, response, location, origin), timeouts: left(request, clock.now() - start) };
  }
}

const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];

function redirected(
  request: HttpRequest,
  response: StreamedResponse,
  location: string,
  origin: string,
): HttpRequest {
  const url = URL.parse(location, request.url);
  if (url === null) throw refused(response, "the redirect leads to what is no URL");
  if (url.origin !== origin)
    throw refused(response, "a redirect to a different origin is not followed: use the URL it leads to");
  if (url.protocol === "http:" && !isLocal(url.hostname))
    throw refused(response, "a redirect is followed by name only over HTTPS");
  const { method = "GET", headers = [], ...rest } = request;
  const { body: _, ...bodiless } = rest;
  const asGet = response.status === 303 || (response.status < 303 && method === "POST");
  return asGet
    ? { ...bodiless, method: "GET", headers: headers.filter(withoutBody), url: url.href }
    : { ...request, url: url.href };
}

/** RFC 9110 section 15.4: what describes a body goes with it. */
function withoutBody([name]: HttpHeader): boolean {
  return !name.toLowerCase().startsWith("content-");
}

/** A name for this machine, or an address: nobody else can answer to it by DNS. */
function isLocal(hostname: string): boolean {
  return hostname === "localhost" || hostname.startsWith("[") || /^\d+\.\d+\.\d+\.\d+$/.test(hostname);
}

function left({ timeouts = {} }: HttpRequest, elapsed: number): NonNullable<HttpRequest["timeouts"]> {
  const { total } = timeouts;
  return total === undefined ? timeouts : { ...timeouts, total: Math.max(1, total - elapsed) };
}

function refused({ status }: StreamedResponse, message: string): McpError {
  return new McpError("redirect", message, { status });
}
