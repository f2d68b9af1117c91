// Redirects as browsers follow them (Fetch standard, HTTP-redirect fetch).
import type { HttpHeader } from "./http-client.ts";
import { HttpError } from "./http-error.ts";
import { parseUrl } from "./http-headers.ts";

/** One request on the way, and how many redirects led to it. */
export interface Hop {
  readonly url: URL;
  readonly method: string;
  readonly headers: readonly HttpHeader[];
  readonly body: Uint8Array | ReadableStream<Uint8Array> | undefined;
  readonly count: number;
}

const MAX_REDIRECTS = 10;

const BODY_HEADERS: ReadonlySet<string> = new Set([
  "content-encoding",
  "content-language",
  "content-length",
  "content-location",
  "content-type",
]);
/** What was meant for one origin is not for another. */
const SECRETS: ReadonlySet<string> = new Set(["authorization", "cookie", "cookie2", "www-authenticate"]);

/** The next hop; undefined where the response is no redirect. @throws HttpError */
export function redirected(hop: Hop, status: number, location: string | undefined): Hop | undefined {
  if (location === undefined || ![301, 302, 303, 307, 308].includes(status)) return undefined;
  if (hop.count >= MAX_REDIRECTS)
    throw new HttpError("upstream", `http/request failed: more than ${MAX_REDIRECTS} redirects`);
  const target = URL.parse(location, hop.url);
  if (target === null) throw new HttpError("upstream", "http/request failed: it redirects to no URL");
  const url = parseUrl(target.href);
  const get = becomesGet(hop.method, status);
  if (!get && hop.body instanceof ReadableStream)
    throw new HttpError(
      "upstream",
      "http/request failed: it redirects, and a streamed body cannot be sent again",
    );
  const dropped = (name: string): boolean =>
    (get && BODY_HEADERS.has(name)) ||
    (url.origin !== hop.url.origin && SECRETS.has(name)) ||
    name === "host";
  return {
    url,
    method: get ? (hop.method === "HEAD" ? "HEAD" : "GET") : hop.method,
    headers: hop.headers.filter(([name]) => !dropped(name.toLowerCase())),
    body: get ? undefined : hop.body,
    count: hop.count + 1,
  };
}

function becomesGet(method: string, status: number): boolean {
  return status === 303 || ((status === 301 || status === 302) && method === "POST");
}
