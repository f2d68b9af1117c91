import { isIP } from "node:net";
import { toBase64 } from "@sluice/codec";
import { HttpError } from "./http-error.ts";

/**
 * The proxy that a URL is reached through: `http://` or `https://`, credentials in it become `Proxy-Authorization`.
 * Undefined, or empty: none.
 */
export type ProxyOf = (url: URL) => string | URL | undefined;

/** One that is on the way. */
export interface Proxy {
  /** Without credentials. */
  readonly url: URL;
  /** Its name for TLS, empty where it is an address. To be said: otherwise it is taken from the `Host` that is asked for. */
  readonly servername: string;
  /** What `Proxy-Authorization` says. */
  readonly authorization: string | undefined;
}

/** @throws HttpError of kind `upstream` where what is given is no proxy of HTTP */
export function readProxy(given: string | URL | undefined): Proxy | undefined {
  if (given === undefined || given === "") return undefined;
  const url = URL.parse(given);
  if (url?.protocol !== "http:" && url?.protocol !== "https:")
    throw new HttpError(
      "upstream",
      "http/request failed: its proxy is none that is known here: it has to be an http or https URL",
      { mayHaveRun: false },
    );
  const { username, password } = url;
  url.username = url.password = "";
  const userPass = `${decoded(username)}:${decoded(password)}`;
  return {
    url,
    servername: isIP(url.hostname.replace(/^\[|\]$/g, "")) === 0 ? url.hostname : "",
    authorization: userPass === ":" ? undefined : `Basic ${toBase64(new TextEncoder().encode(userPass))}`,
  };
}

/** What a connection to a proxy failed with: where the proxy is, is not for whoever asked. */
export function proxyFailed(cause: unknown, options: { readonly mayHaveRun?: boolean } = {}): HttpError {
  const { code } = cause as { code?: unknown };
  const why = typeof code === "string" ? `: ${code}` : "";
  return new HttpError("upstream", `http/request failed: the connection to its proxy failed${why}`, {
    ...options,
    cause,
  });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
