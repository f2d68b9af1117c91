import { TransportError } from "@sluice/transport";
import type { WsLimits } from "./limits.ts";

export interface DialOptions {
  /**
   * Subprotocols to offer, best first. Default `["sluice.v1", "jsonrpc"]`. A server that knows none of them may fail the
   * handshake: to a plain JSON-RPC server offer none, `[]`, and greet in JSON (H4).
   */
  readonly protocols?: readonly string[];
  /** Sent with the handshake. Browsers cannot: there dialling with headers throws a TypeError. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Gives the handshake up, or later aborts the transport. */
  readonly signal?: AbortSignal;
  readonly limits?: Partial<WsLimits>;
}

/** What went wrong before a connection was open. */
export function dialFailed(url: URL, why: string, cause?: unknown): TransportError {
  const where = `${url.protocol}//${url.host}${url.pathname}`;
  return new TransportError(
    "connect",
    `cannot connect to ${where}: ${why}`,
    cause === undefined ? {} : { cause },
  );
}

export function dialAborted(url: URL, signal: AbortSignal): TransportError {
  const where = `${url.protocol}//${url.host}${url.pathname}`;
  return new TransportError("aborted", `dialling ${where} was given up`, { cause: signal.reason });
}

/** @throws TypeError where it is no ws: or wss: URL (http: and https: are taken for them). */
export function wsUrl(given: string | URL): URL {
  const url = new URL(given);
  if (url.protocol === "http:" || url.protocol === "https:")
    url.protocol = url.protocol.replace("http", "ws");
  if (url.protocol !== "ws:" && url.protocol !== "wss:")
    throw new TypeError(`a WebSocket's URL begins with ws: or wss:, not ${url.protocol}`);
  url.hash = "";
  return url;
}

/** The far end in errors: where it is, without what may be secret in the URL. */
export function labelOf(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}
