// One URL of an MCP server, and the three requests that are made to it.
import type { HttpClient, HttpTimeouts, StreamedResponse } from "@sluice/exec";
import type { Clock } from "./clock.ts";
import { buildHeaders, type HeaderParts, type HeaderSource, type TokenSource } from "./headers.ts";
import type { McpLimits } from "./limits.ts";
import { McpError } from "./mcp-error.ts";
import { sendWithinOrigin } from "./redirects.ts";

/** What names a session at the server; both undefined before there is one, and where the server has none. */
export interface Conversation {
  readonly id: string | undefined;
  readonly version: string | undefined;
}

export interface EndpointOptions {
  readonly client: HttpClient;
  readonly headers?: HeaderSource | undefined;
  readonly token?: TokenSource | undefined;
  readonly timeouts?: HttpTimeouts | undefined;
  readonly limits: McpLimits;
  readonly clock: Clock;
}

interface Sending {
  readonly method: "POST" | "GET" | "DELETE";
  readonly headers: Partial<HeaderParts>;
  readonly conversation: Conversation;
  readonly signal: AbortSignal | undefined;
  readonly timeouts?: HttpTimeouts | undefined;
  readonly body?: Uint8Array;
}

/** Requests that reject with an `McpError` of kind `failed` or `redirect`, or with the reason of their signal. */
export class Endpoint {
  readonly url: string;
  readonly #options: EndpointOptions;

  constructor(url: URL, options: EndpointOptions) {
    this.url = url.href;
    this.#options = options;
  }

  post(
    text: string,
    own: Readonly<Record<string, string>>,
    conversation: Conversation,
    signal: AbortSignal,
  ): Promise<StreamedResponse> {
    const headers = {
      own,
      accept: "text/event-stream, application/json",
      contentType: "application/json",
    };
    const body = new TextEncoder().encode(text);
    return this.#send({
      method: "POST",
      headers,
      conversation,
      signal,
      body,
      timeouts: this.#options.timeouts,
    });
  }

  /** Without `lastEventId`: what the server says outside of its answers. No timeout but that of the headers: it may last. */
  get(
    lastEventId: string | undefined,
    conversation: Conversation,
    signal: AbortSignal,
  ): Promise<StreamedResponse> {
    const { headers: within } = this.#options.timeouts ?? {};
    return this.#send({
      method: "GET",
      headers: { lastEventId, accept: "text/event-stream" },
      conversation,
      signal,
      timeouts: within === undefined ? {} : { headers: within },
    });
  }

  delete(conversation: Conversation): Promise<StreamedResponse> {
    const timeouts = { total: this.#options.limits.goodbye };
    return this.#send({ method: "DELETE", headers: {}, conversation, signal: undefined, timeouts });
  }

  async #send({
    method,
    headers,
    conversation,
    signal,
    body,
    timeouts = {},
  }: Sending): Promise<StreamedResponse> {
    const { client, limits, clock, headers: defaults, token } = this.#options;
    const { id: session, version } = conversation;
    const built = await buildHeaders({ defaults, token, session, version, ...headers });
    signal?.throwIfAborted();
    try {
      return await sendWithinOrigin(
        { url: this.url, method, headers: built, body, timeouts, signal },
        { client, most: limits.redirects, clock },
      );
    } catch (cause) {
      signal?.throwIfAborted();
      throw failed(cause);
    }
  }
}

/** What became of a request, or of the reading of its body, as an `McpError`. */
export function failed(cause: unknown): McpError {
  if (cause instanceof McpError) return cause;
  const mayHaveRun = (cause as { readonly mayHaveRun?: unknown } | null)?.mayHaveRun !== false;
  const message = cause instanceof Error ? cause.message : String(cause);
  return new McpError("failed", `the request failed: ${message}`, { cause, mayHaveRun });
}
