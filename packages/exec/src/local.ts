// Requests made by this program, on Node, Deno and Bun. Over node:http, which is the same on the three, hands on what
// came as it came, and lets us say which address a name stands for.
import http, { type IncomingMessage } from "node:http";
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
import { incomingBody } from "./local-body.ts";
import { Policy, type HttpPolicy } from "./local-policy.ts";
import { redirected, type Hop } from "./local-redirect.ts";
import { send, type Protocol } from "./local-request.ts";
import { guardedBody } from "./response-body.ts";

export type { AddressKind, Destination, HttpPolicy } from "./local-policy.ts";

export interface LocalClientOptions {
  /**
   * Where requests may go. Default: everywhere. `{}` is every public address; for whoever makes requests on behalf of
   * others.
   */
  readonly policy?: HttpPolicy;
  /** Bytes that `request` keeps. Beyond: an `HttpError` of kind `overflow`. Default 64 MiB. */
  readonly maxBody?: number;
}

/** Requests made by this program. Disposing of it closes the connections it keeps for later requests. */
export interface LocalClient extends HttpClient, Disposable {}

/** @throws TypeError where the policy makes no sense */
export function localClient(options: LocalClientOptions = {}): LocalClient {
  return new NodeClient(options);
}

// Deno does not close a connection it has used before when its request is given up (2.9): the server would go on. So
// there each request has a connection of its own.
const AGENT = { keepAlive: !("Deno" in globalThis) };

class NodeClient implements LocalClient {
  readonly #http: Protocol = { request: http.request, agent: new http.Agent(AGENT) };
  #https: Promise<Protocol> | undefined;
  readonly #policy: Policy | undefined;
  readonly #maxBody: number;

  constructor({ policy, maxBody = 64 * 1024 * 1024 }: LocalClientOptions) {
    this.#policy = policy === undefined ? undefined : new Policy(policy);
    this.#maxBody = maxBody;
  }

  async request(request: HttpRequest): Promise<BufferedResponse> {
    return collect(await this.requestStream(request), this.#maxBody);
  }

  async requestStream(request: HttpRequest): Promise<StreamedResponse> {
    const { method = "GET", headers = [], body } = request;
    checkMethod(method);
    const url = parseUrl(request.url);
    checkHeaders(headers);
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
    for (;;) {
      const response = await send(hop, { protocol: this.#protocol, policy: this.#policy, signal });
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

  readonly #protocol = (url: URL): Protocol | Promise<Protocol> =>
    url.protocol === "https:" ? (this.#https ??= secure()) : this.#http;

  [Symbol.dispose](): void {
    this.#http.agent.destroy();
    void this.#https?.then(({ agent }) => agent.destroy());
  }
}

/** Loaded with the first request that needs it: TLS takes some MiB. */
async function secure(): Promise<Protocol> {
  const { Agent, request } = await import("node:https");
  return { request, agent: new Agent(AGENT) };
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
