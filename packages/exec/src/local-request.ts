// One request on its way, without redirects. Through a proxy, http goes to it in absolute-form (RFC 9112 section 3.2.2) and
// https through a connection that CONNECT gives.
import type { LookupAddress, LookupOptions } from "node:dns";
import { lookup } from "node:dns/promises";
import type { ClientRequest, IncomingMessage } from "node:http";
import { isIP, type LookupFunction } from "node:net";
import { urlToHttpOptions } from "node:url";
import { callbackify } from "node:util";
import { HttpError } from "./http-error.ts";
import { endToEnd } from "./http-headers.ts";
import type { HttpHeader } from "./http-client.ts";
import { sendBody } from "./local-body.ts";
import type { Policy } from "./local-policy.ts";
import type { Protocols } from "./local-protocols.ts";
import { proxyFailed, readProxy, type Proxy, type ProxyOf } from "./local-proxy.ts";
import type { Hop } from "./local-redirect.ts";
import type { TunnelOptions } from "./local-tunnel.ts";
import { unlessAborted } from "./unless-aborted.ts";

export interface Sending {
  readonly protocols: Protocols;
  readonly proxy: ProxyOf | undefined;
  readonly policy: Policy | undefined;
  /** Aborted: the connection is closed. */
  readonly signal: AbortSignal;
}

/** Settles with the response's headers. A kept connection that the server had closed meanwhile is no failure. */
export async function send(hop: Hop, sending: Sending): Promise<IncomingMessage> {
  const { policy, signal } = sending;
  signal.throwIfAborted();
  const proxy = readProxy(sending.proxy?.(hop.url));
  const judged = policy === undefined ? undefined : await unlessAborted(judge(hop, policy, proxy), signal);
  const start = await starter(hop, sending, proxy, judged);
  for (;;) {
    signal.throwIfAborted();
    const attempt = start();
    try {
      return await answer(attempt, hop, signal);
    } catch (error) {
      if (staleConnection(attempt, error) && canRepeat(hop) && !signal.aborted) continue;
      const passes = signal.aborted || error instanceof HttpError || proxy === undefined;
      throw passes || hop.url.protocol === "https:" ? error : proxyFailed(error);
    }
  }
}

/** What can be judged before anything is connected to; and what may be, where that is known by then. */
async function judge({ url, count }: Hop, policy: Policy, proxy: Proxy | undefined): Promise<Judged> {
  policy.scheme(url);
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const resolve = (): Promise<LookupAddress[]> => lookup(host, { all: true });
  // An address is connected to without asking anybody for one.
  if (isIP(host) > 0) await policy.addresses(url, count, [{ address: host }]);
  else if (proxy !== undefined) await policy.behindProxy(url, count, resolve);
  // Nor does a kept connection ask; but the hook is to be asked for each request.
  else if (policy.hasCheck) return policy.addresses(url, count, await resolve());
  return undefined;
}

/** Addresses that have been let through; undefined: those of a new connection are judged when it asks for them. */
type Judged = readonly LookupAddress[] | undefined;

/** Makes the request; again for each attempt. */
async function starter(
  hop: Hop,
  sending: Sending,
  proxy: Proxy | undefined,
  judged: Judged,
): Promise<() => ClientRequest> {
  const { url, method, count, body } = hop;
  const { policy, signal } = sending;
  const headers = [...endToEnd(hop.headers, url), ...framing(body)];
  if (proxy === undefined) {
    const { request, agent } = await sending.protocols.of(url, "server");
    const within = policy === undefined ? {} : { lookup: lookupWithin(policy, url, count, judged) };
    return () => request(url, { method, headers: grouped(headers), agent, ...within });
  }
  if (url.protocol === "https:") {
    const { request, agent } = await sending.protocols.of(url, "tunnel");
    const options: TunnelOptions = {
      method,
      headers: grouped(headers),
      agent,
      through: { proxy, url, signal },
    };
    return () => request(url, options);
  }
  const { request, agent } = await sending.protocols.of(proxy.url, "proxy");
  const { path, auth } = urlToHttpOptions(url);
  const forProxy: HttpHeader[] = [["Host", url.host], ...headers];
  if (proxy.authorization !== undefined) forProxy.push(["Proxy-Authorization", proxy.authorization]);
  const { servername } = proxy;
  const options = {
    method,
    headers: grouped(forProxy),
    agent,
    path: `http://${url.host}${path}`,
    servername,
    ...(typeof auth === "string" && { auth }),
  };
  return () => request(proxy.url, options);
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
function lookupWithin(policy: Policy, url: URL, count: number, judged: Judged): LookupFunction {
  const allowed = callbackify(
    async (hostname: string, options: LookupOptions) =>
      judged ?? policy.addresses(url, count, await lookup(hostname, { ...options, all: true })),
  );
  return (hostname, options, callback) =>
    allowed(hostname, options, (error, found) => {
      if (error !== null) return callback(error, []);
      const [first] = found;
      if (options.all === true || first === undefined) callback(null, [...found]);
      else callback(null, first.address, first.family);
    });
}

/**
 * How long the body is (RFC 9112 section 6). To be said: with GET, HEAD, DELETE, OPTIONS and TRACE the runtimes say nothing
 * by themselves, and the server would take the body for the next request.
 */
function framing(body: Hop["body"]): readonly HttpHeader[] {
  if (body === undefined) return [];
  if (body instanceof ReadableStream) return [["Transfer-Encoding", "chunked"]];
  return [["Content-Length", String(body.length)]];
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
