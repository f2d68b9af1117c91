// Requests made by this program, on Node, Deno and Bun. Over node:http, which is the same on the three, hands on what
// came as it came, and lets us say which address a name stands for.
import type { IncomingMessage } from "node:http";
import { collect } from "./collect.ts";
import type {
  BufferedResponse,
  HttpClient,
  HttpHeader,
  HttpRequest,
  StreamedResponse,
} from "./http-client.ts";
import { Deadlines } from "./http-deadlines.ts";
import { checkHeaders, checkMethod, parseUrl } from "./http-headers.ts";
import { withTrace } from "./http-trace.ts";
import { incomingBody } from "./local-body.ts";
import { Policy, type HttpPolicy } from "./local-policy.ts";
import { Protocols } from "./local-protocols.ts";
import type { ProxyOf } from "./local-proxy.ts";
import { redirected, type Hop } from "./local-redirect.ts";
import { send } from "./local-request.ts";
import { guardedBody } from "./response-body.ts";

export type { AddressKind, Destination, HttpPolicy } from "./local-policy.ts";
export type { ProxyOf } from "./local-proxy.ts";
export { proxyFromEnvironment } from "./proxy-environment.ts";

export interface LocalClientOptions {
  /**
   * Where requests may go. Default: everywhere. `{}` is every public address; for whoever makes requests on behalf of
   * others.
   */
  readonly policy?: HttpPolicy;
  /**
   * Asked at each hop which proxy it goes through: http in absolute-form, https by CONNECT. Default: none, whatever the
   * environment says; `proxyFromEnvironment(process.env)` is what it says. A proxy that cannot be reached, or that refuses
   * to connect, is an `HttpError` of kind `upstream`; what else it answers is the response.
   */
  readonly proxy?: ProxyOf;
  /** Certificates, as PEM, that are trusted in place of the runtime's own: of servers, and of proxies. */
  readonly ca?: string | readonly string[];
  /** Bytes that `request` keeps. Beyond: an `HttpError` of kind `overflow`. Default 64 MiB. */
  readonly maxBody?: number;
}

/** Requests made by this program. Disposing of it closes the connections it keeps for later requests. */
export interface LocalClient extends HttpClient, Disposable {}

/** @throws TypeError where the policy makes no sense */
export function localClient(options: LocalClientOptions = {}): LocalClient {
  return new NodeClient(options);
}

class NodeClient implements LocalClient {
  readonly #protocols: Protocols;
  readonly #policy: Policy | undefined;
  readonly #proxy: ProxyOf | undefined;
  readonly #maxBody: number;

  constructor({ policy, proxy, ca, maxBody = 64 * 1024 * 1024 }: LocalClientOptions) {
    this.#policy = policy === undefined ? undefined : new Policy(policy);
    this.#proxy = proxy;
    this.#protocols = new Protocols(ca);
    this.#maxBody = maxBody;
  }

  async request(request: HttpRequest): Promise<BufferedResponse> {
    return collect(await this.requestStream(request), this.#maxBody);
  }

  async requestStream(request: HttpRequest): Promise<StreamedResponse> {
    const { method = "GET", body } = request;
    checkMethod(method);
    const url = parseUrl(request.url);
    checkHeaders(request.headers ?? []);
    const headers = withTrace(request.headers ?? [], request.trace);
    const deadlines = new Deadlines(request);
    try {
      const first: Hop = { url, method, headers, body, count: 0 };
      const { hop, response } = await this.#follow(first, request, deadlines.signal);
      return responseOf(hop, response, deadlines);
    } catch (cause) {
      if (body instanceof ReadableStream && !body.locked) body.cancel(cause).catch(() => {});
      throw deadlines.why(cause, "http/request failed");
    }
  }

  async #follow(
    first: Hop,
    { redirect }: HttpRequest,
    signal: AbortSignal,
  ): Promise<{ hop: Hop; response: IncomingMessage }> {
    let hop = first;
    const sending = { protocols: this.#protocols, policy: this.#policy, proxy: this.#proxy, signal };
    for (;;) {
      const response = await send(hop, sending);
      try {
        const next =
          redirect === "stop" ? undefined : redirected(hop, statusOf(response), response.headers.location);
        if (next === undefined) return { hop, response };
        hop = next;
      } catch (error) {
        response.destroy();
        throw error;
      }
      response.destroy();
    }
  }

  [Symbol.dispose](): void {
    this.#protocols[Symbol.dispose]();
  }
}

function responseOf({ url }: Hop, response: IncomingMessage, deadlines: Deadlines): StreamedResponse {
  const body = guardedBody(incomingBody(response), deadlines);
  return {
    status: statusOf(response),
    statusText: response.statusMessage ?? "",
    headers: pairs(response.rawHeaders),
    url: withoutFragment(url),
    body,
    [Symbol.asyncDispose]: () => body.cancel(),
  };
}

function statusOf(response: IncomingMessage): number {
  return response.statusCode ?? 0; // always there on a client's side
}

function pairs(raw: readonly string[]): HttpHeader[] {
  const headers: HttpHeader[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) headers.push([raw[i] ?? "", raw[i + 1] ?? ""]);
  return headers;
}

function withoutFragment(url: URL): string {
  const { href, hash } = url;
  return hash === "" ? href : href.slice(0, -hash.length);
}
