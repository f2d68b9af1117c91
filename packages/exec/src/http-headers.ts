// What may stand in a request's head (RFC 9110), whoever will send it.
import type { HttpHeader } from "./http-client.ts";
import { HttpError } from "./http-error.ts";

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
// Octets as characters: tab, visible ASCII, space, and obs-text (RFC 9110 section 5.5).
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** They belong to the connection, which is not the caller's (RFC 9110 section 7.6.1). */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** @throws HttpError of kind `invalid` */
export function checkMethod(method: string): void {
  if (!TOKEN.test(method)) throw invalid("method is invalid: it has to be a token");
  if (method.toUpperCase() === "CONNECT") throw invalid("method is invalid: CONNECT makes no request");
}

/** @throws HttpError of kind `invalid` */
export function parseUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null) throw invalid("url is invalid: it has to be absolute");
  const scheme = url.protocol.slice(0, -1);
  if (scheme !== "http" && scheme !== "https")
    throw invalid(`only supports http and https URLs, got ${scheme}`);
  return url;
}

/** @throws HttpError of kind `invalid` */
export function checkNames(names: readonly string[]): void {
  if (!names.every((name) => TOKEN.test(name))) throw invalid("header name is invalid: it has to be a token");
}

/** @throws HttpError of kind `invalid` */
export function checkHeaders(headers: readonly HttpHeader[]): void {
  checkNames(headers.map(([name]) => name));
  const wrong = headers.find(([, value]) => !VALUE.test(value));
  if (wrong !== undefined)
    throw invalid(`header value is invalid for ${wrong[0]}: it holds a character no header may hold`);
}

/**
 * What is sent of a caller's headers: those of the connection are left out, and the length is the sender's to say.
 * @throws HttpError of kind `invalid` where `host` is another than the URL's
 */
export function endToEnd(headers: readonly HttpHeader[], url: URL): readonly HttpHeader[] {
  return headers.filter(([name, value]) => {
    const lower = name.toLowerCase();
    if (lower === "host" && value !== url.host)
      throw invalid("header host is invalid: it follows from the url");
    return lower !== "host" && lower !== "content-length" && !HOP_BY_HOP.has(lower);
  });
}

function invalid(why: string): HttpError {
  return new HttpError("invalid", `http/request ${why}`);
}
