// One request on its way, without redirects.
import type { LookupOptions } from "node:dns";
import { lookup } from "node:dns/promises";
import type http from "node:http";
import type { ClientRequest, IncomingMessage } from "node:http";
import { isIP, type LookupFunction } from "node:net";
import { callbackify } from "node:util";
import { HttpError } from "./http-error.ts";
import { endToEnd } from "./http-headers.ts";
import type { HttpHeader } from "./http-client.ts";
import { sendBody } from "./local-body.ts";
import type { Policy } from "./local-policy.ts";
import type { Hop } from "./local-redirect.ts";

/** What makes requests of one scheme, and the connections it keeps for the next ones. */
export interface Protocol {
  readonly request: typeof http.request;
  readonly agent: http.Agent;
}

export interface Sending {
  protocol(url: URL): Protocol | Promise<Protocol>;
  readonly policy: Policy | undefined;
  /** Aborted: the connection is closed. */
  readonly signal: AbortSignal;
}

/** Settles with the response's headers. A kept connection that the server had closed meanwhile is no failure. */
export async function send(hop: Hop, sending: Sending): Promise<IncomingMessage> {
  const { policy, signal } = sending;
  signal.throwIfAborted();
  policy?.scheme(hop.url);
  const host = hop.url.hostname.replace(/^\[|\]$/g, "");
  // An address is connected to without asking anybody for one.
  if (policy !== undefined && isIP(host) > 0) await policy.addresses(hop.url, hop.count, [{ address: host }]);
  const protocol = await sending.protocol(hop.url);
  for (;;) {
    const attempt = start(hop, protocol, policy);
    try {
      return await answer(attempt, hop, signal);
    } catch (error) {
      if (!staleConnection(attempt, error) || !canRepeat(hop) || signal.aborted) throw error;
    }
  }
}

function start(hop: Hop, { request, agent }: Protocol, policy: Policy | undefined): ClientRequest {
  const { url, method, headers, count } = hop;
  return request(url, {
    method,
    headers: grouped(endToEnd(headers, url)),
    agent,
    ...(policy === undefined ? {} : { lookup: lookupWithin(policy, url, count) }),
  });
}

function answer(request: ClientRequest, hop: Hop, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise<IncomingMessage>((settle, fail) => {
    const abort = (): void => {
      fail(signal.reason); // Deno's request does not say that it was destroyed
      request.destroy();
    };
    signal.addEventListener("abort", abort, { once: true });
    // Errors of the connection go on coming after the headers; those are the body's to tell.
    request.on("error", fail);
    request.on("upgrade", (_response, socket) => {
      socket.destroy();
      fail(new HttpError("upstream", "http/request failed: the server switched to another protocol"));
    });
    request.on("response", (response) => {
      signal.removeEventListener("abort", abort);
      settle(response);
    });
    request.on("close", () => {
      signal.removeEventListener("abort", abort);
      fail(new HttpError("upstream", "http/request failed: the connection was closed without a response"));
    });
    sendBody(request, hop.body);
  });
}

/** Resolves a name, and lets through what the policy allows: that is then connected to. */
function lookupWithin(policy: Policy, url: URL, count: number): LookupFunction {
  const allowed = callbackify(async (hostname: string, options: LookupOptions) =>
    policy.addresses(url, count, await lookup(hostname, { ...options, all: true })),
  );
  return (hostname, options, callback) =>
    allowed(hostname, options, (error, found) => {
      if (error !== null) return callback(error, []);
      const [first] = found;
      if (options.all === true || first === undefined) callback(null, [...found]);
      else callback(null, first.address, first.family);
    });
}

/** Repeated headers as one entry with many values, in the place and spelling of the first. */
function grouped(headers: readonly HttpHeader[]): Record<string, string | string[]> {
  const byName = new Map<string, [name: string, values: string[]]>();
  for (const [name, value] of headers) {
    const entry = byName.get(name.toLowerCase());
    if (entry === undefined) byName.set(name.toLowerCase(), [name, [value]]);
    else entry[1].push(value);
  }
  const all = [...byName.values()].map(([name, values]): [string, string | string[]] => [
    name,
    values.length === 1 ? (values[0] ?? "") : values,
  ]);
  return Object.fromEntries(all);
}

/** RFC 9112 section 9.3.1: a connection may be closed while it is idle, at the moment it is used again. */
function staleConnection(request: ClientRequest, error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return request.reusedSocket && (code === "ECONNRESET" || code === "EPIPE");
}

function canRepeat({ method, body }: Hop): boolean {
  return !(body instanceof ReadableStream) && ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"].includes(method);
}
