// MCP's Streamable HTTP at the client, over any HttpClient, in the shape of the MCP SDK's transports. Each message leaves
// in a POST of its own; what comes back comes in the responses to requests, and in that to a GET, which is open for as
// long as the session. When the server has forgotten the session it is opened again, and what was refused is sent once more.
import type { HttpClient, HttpTimeouts } from "@sluice/exec";
import { systemClock, type Clock } from "./clock.ts";
import { Endpoint, failed } from "./endpoint.ts";
import type { Sent } from "./exchange.ts";
import type { HeaderSource, TokenSource } from "./headers.ts";
import { MCP_LIMITS, type McpLimits } from "./limits.ts";
import { McpError } from "./mcp-error.ts";
import { McpSession } from "./mcp-session.ts";
import { isObject, requestId, type JsonRpcMessage, type RequestId } from "./message.ts";

export interface StreamableHttpOptions {
  /** What makes the requests. */
  readonly client: HttpClient;
  /** Sent with each request, before those that MCP wants. */
  readonly headers?: HeaderSource;
  /** Sent as `Authorization: Bearer`; asked for before each request. */
  readonly token?: TokenSource;
  /** Of each POST; a GET knows `headers` alone. Default: none, the caller gives up by its signal. */
  readonly timeouts?: HttpTimeouts;
  readonly limits?: Partial<McpLimits>;
  /** A session that was opened earlier, and its version. It cannot be opened again when it has expired. */
  readonly sessionId?: string;
  readonly protocolVersion?: string;
  readonly clock?: Clock;
}

export interface SendOptions {
  /** Gives up this message, and the response to it. */
  readonly requestSignal?: AbortSignal | undefined;
  /** Sends nothing, and goes on with the response to this request behind the event of that id. */
  readonly resumptionToken?: string | undefined;
  /** Told of each id from which the response to this message could be gone on with. */
  readonly onresumptiontoken?: ((token: string) => void) | undefined;
  /** The response to this request came to an end, with its answer or without; not told when `requestSignal` ended it. */
  readonly onRequestStreamEnd?: (() => void) | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** A client's end of one MCP session over Streamable HTTP; a `Transport` of `@modelcontextprotocol/client`. */
export class StreamableHttp implements AsyncDisposable {
  /** Each request has a response of its own, which `requestSignal` ends. */
  readonly hasPerRequestStream: true = true;
  /** What came. Where it returns a promise, what comes next on the same response waits for it. */
  onmessage?: ((message: JsonRpcMessage) => void | Promise<void>) | undefined;
  onclose?: (() => void) | undefined;
  /** Everything that went wrong, also where `send` has said so. */
  onerror?: ((error: Error) => void) | undefined;
  /** The server had forgotten the session, and has a new one: what it kept for the old one, such as subscriptions, is gone. */
  onreopen?: (() => void) | undefined;

  /** Its bounds. */
  readonly limits: McpLimits;
  readonly url: string;
  readonly #clock: Clock;
  readonly #session: McpSession;
  readonly #closing = new AbortController();
  /** The requests under way, by their ids. */
  readonly #requests = new Map<RequestId, AbortController>();
  #state: "new" | "open" | "closed" = "new";
  /** Messages under way. */
  #pending = 0;

  constructor(url: string | URL, options: StreamableHttpOptions) {
    const { client, headers, token, timeouts, sessionId, protocolVersion } = options;
    const limits = { ...MCP_LIMITS, ...options.limits };
    const clock = options.clock ?? systemClock;
    const endpoint = new Endpoint(new URL(url), { client, headers, token, timeouts, limits, clock });
    this.limits = limits;
    this.url = endpoint.url;
    this.#clock = clock;
    this.#session = new McpSession(
      {
        endpoint,
        limits,
        clock,
        signal: this.#closing.signal,
        deliver: (message) => this.#deliver(message),
        report: (error) => this.#report(error),
        onReopen: () => this.onreopen?.(),
      },
      { id: sessionId, version: protocolVersion },
    );
  }

  /** As the server named it; undefined before, and where it has none. */
  get sessionId(): string | undefined {
    return this.#session.current.id;
  }

  get protocolVersion(): string | undefined {
    return this.#session.current.version;
  }

  /** Known from the answer to `initialize`; a client that has decided otherwise says so. */
  setProtocolVersion(version: string): void {
    this.#session.setVersion(version);
  }

  /** Once, before the first message. Nothing is sent. */
  async start(): Promise<void> {
    if (this.#state !== "new")
      throw new McpError("closed", "this transport was started before: make a new one");
    this.#state = "open";
  }

  /**
   * Sends a message. Resolves when the server has taken it; where it may be sent again (see `limits.repeats`), with its
   * answer. Rejects with an `McpError`, the reason of `requestSignal`, or what `headers` and
   * `token` throw; a request for which it has resolved is always
   * answered, by an error -32001 where the server's answer cannot come any more.
   */
  async send(message: JsonRpcMessage, options: SendOptions = {}): Promise<void> {
    this.#judge();
    const id = requestId(message);
    const task = new AbortController();
    const all = [this.#closing.signal, task.signal, options.requestSignal];
    const signal = AbortSignal.any(all.filter((one) => one !== undefined));
    this.#pending++;
    if (id !== undefined) this.#requests.set(id, task);
    const over = (): void => {
      this.#pending--;
      if (this.#requests.get(id!) === task) this.#requests.delete(id!);
    };
    let sent: Sent;
    try {
      sent = await this.#send(message, signal, options);
    } catch (error) {
      over();
      if (!signal.aborted) this.#report(error as Error);
      throw error;
    }
    this.#giveUp(message);
    void this.#finish(sent, id, signal).then(() => {
      over();
      if (!signal.aborted) options.onRequestStreamEnd?.();
    });
  }

  /** Ends the session at the server. Rejects with an `McpError` where the server does not say that it has ended. */
  terminateSession(): Promise<void> {
    return this.#session.terminate();
  }

  /** Lets go of all requests. The session stays at the server: `terminateSession` ends it. */
  async close(): Promise<void> {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#closing.abort(new McpError("closed", "the transport is closed"));
    this.onclose?.();
  }

  /** Ends the session at the server, as far as that lets us, and closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.terminateSession().catch(() => {}); // the server ends it when it has heard nothing for long
    await this.close();
  }

  #judge(): void {
    if (this.#state !== "open") {
      const what = this.#state === "new" ? "not started: call start first" : "closed";
      throw new McpError("closed", `the transport is ${what}`);
    }
    if (this.#pending < this.limits.pending) return;
    throw new McpError("overflow", "too many messages are under way (limits.pending)", { mayHaveRun: false });
  }

  #send(message: JsonRpcMessage, signal: AbortSignal, options: SendOptions): Promise<Sent> | Sent {
    const { headers, resumptionToken, onresumptiontoken: onId } = options;
    return resumptionToken === undefined
      ? this.#session.send(message, signal, { headers, onId })
      : this.#session.resume(message, resumptionToken, signal, { onId });
  }

  /** A server does not answer what was cancelled, and may leave its response open. */
  #giveUp({ method, params }: JsonRpcMessage): void {
    if (method !== "notifications/cancelled" || !isObject(params)) return;
    const task = this.#requests.get(params["requestId"] as RequestId);
    if (task === undefined) return;
    const { signal } = task;
    void this.#clock.pause(this.limits.grace, AbortSignal.any([signal, this.#closing.signal])).then(() => {
      task.abort(new McpError("closed", "the request was cancelled"));
    });
  }

  /** Where the answer cannot come any more, an error says so. */
  async #finish({ answered }: Sent, id: RequestId | undefined, signal: AbortSignal): Promise<void> {
    try {
      await answered;
    } catch (cause) {
      if (signal.aborted) return;
      const error = failed(cause);
      this.#report(error);
      const { message, mayHaveRun, kind } = error;
      await this.#deliver({
        jsonrpc: "2.0",
        id,
        error: { code: -32001, message, data: { mayHaveRun, kind } },
      });
    }
  }

  async #deliver(message: JsonRpcMessage): Promise<void> {
    if (this.#state !== "open") return;
    try {
      await this.onmessage?.(message);
    } catch (error) {
      this.#report(error as Error);
    }
  }

  #report(error: Error): void {
    if (this.#state === "open") this.onerror?.(error);
  }
}
