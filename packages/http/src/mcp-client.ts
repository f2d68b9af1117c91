// A session over the mcp wire at the client: MCP 2025-11-25 "Streamable HTTP", with any server that speaks it. Each
// message leaves in a POST of its own; what comes back comes in the responses to requests, and in that to a GET, which is
// open for as long as the session.
import { TransportError, type Chunk, type Transport, type TransportEvents } from "@sluice/transport";
import { Delivery } from "./delivery.ts";
import { follow, type Followed } from "./event-follower.ts";
import { formatEventId } from "./event-id.ts";
import { headerNames } from "./header-names.ts";
import { DIAL_LIMITS, HTTP_LIMITS, type DialLimits } from "./limits.ts";
import { McpExchange, type McpExchangeOwner } from "./mcp-exchange.ts";
import { McpOutbox, toOutgoing, type Outgoing } from "./mcp-outbox.ts";
import { McpReceiver } from "./mcp-receiver.ts";
import { McpRequests } from "./mcp-requests.ts";
import type { DialOptions } from "./options.ts";
import { pause } from "./pause.ts";
import { Requests } from "./requests.ts";

/** A transport to a server that speaks MCP's Streamable HTTP. It connects with the first message that is written. */
export function dialMcp(url: URL, options: DialOptions): Transport {
  return new McpClient(url, options);
}

class McpClient implements Transport {
  readonly unit = "messages";
  readonly encoding = "json";
  readonly label: string;
  readonly #limits: DialLimits;
  readonly #requests: McpRequests;
  readonly #delivery: Delivery;
  readonly #receiver: McpReceiver;
  readonly #outbox: McpOutbox;
  readonly #exchange: McpExchangeOwner;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort: () => void;
  /** Everything that is under way. */
  readonly #tasks = new Set<AbortController>();
  /** How the server answers requests. */
  #answers: "unknown" | "headers first" | "json" = "unknown";
  /** The GET. `refused`: this server has none. */
  #listening: "not yet" | "open" | "refused" | "over" = "not yet";
  /** Our direction. `deleted`: the server knows that it has ended. */
  #sending: "open" | "ended" | "deleted" = "open";
  /** What waits for the GET to be over. */
  #listened: () => void = () => {};

  constructor(url: URL, options: DialOptions) {
    this.label = `${url.origin}${url.pathname}`;
    this.#limits = { ...DIAL_LIMITS, ...options.limits };
    this.#requests = new McpRequests(new Requests(url, options), headerNames(options));
    const onFailure = (error: TransportError): void => this.abort(error);
    this.#delivery = new Delivery(this.label, { onEndTold: () => this.#settle(), onThrow: onFailure });
    this.#receiver = new McpReceiver(this.#delivery, this.#limits.silence, {
      label: this.label,
      onFirstAnswer: (version) => this.#onFirstAnswer(version),
      onFailure,
    });
    this.#exchange = {
      label: this.label,
      limits: this.#limits,
      requests: this.#requests,
      receiver: this.#receiver,
      onJsonServer: () => void (this.#answers = "json"),
      onNotified: (method) => method === "notifications/initialized" && this.#listen(),
      onFailure,
    };
    this.#outbox = new McpOutbox(
      {
        post: (message) => this.#post(message),
        pace: () =>
          this.#requests.state === "new" ? "first" : this.#answers === "json" ? "answers" : "headers",
        onDrain: () => this.#delivery.drain(),
        onFlushed: () => void this.#task((task) => this.#finish(task.signal)),
      },
      options.highWater ?? HTTP_LIMITS.highWater,
      this.#limits.patience,
    );
    this.#signal = options.signal;
    this.#onAbort = () => {
      const cause: unknown = this.#signal?.reason;
      this.abort(new TransportError("aborted", "the signal given to dial was aborted", { cause }));
    };
    if (this.#signal?.aborted === true) this.#onAbort();
    else this.#signal?.addEventListener("abort", this.#onAbort);
  }

  start(events: TransportEvents): void {
    this.#delivery.start(events);
  }

  /** @throws TypeError where a chunk is not one JSON-RPC message; nothing is taken then. */
  write(chunks: readonly Chunk[]): boolean {
    return this.#outbox.accepts && this.#outbox.write(chunks.map(toOutgoing));
  }

  pause(): void {
    this.#delivery.pause();
  }

  resume(): void {
    this.#delivery.resume();
  }

  close(): void {
    if (this.#sending !== "open") return;
    this.#sending = "ended";
    this.#outbox.end();
  }

  abort(error?: TransportError): void {
    if (this.#delivery.over) return;
    const told = this.#sending === "deleted" || error?.code === "unknown-session";
    this.#end(error);
    if (!told) void this.#requests.delete();
  }

  #post(message: Outgoing): Promise<void> {
    return new Promise((taken) => {
      void this.#task((task) => new McpExchange(this.#exchange, message, task).run(taken));
    });
  }

  #onFirstAnswer(version: string | undefined): void {
    if (this.#answers === "unknown") this.#answers = "headers first";
    this.#requests.version = version;
    // MCP's clients listen once they have said that they are initialized; other dialects do not say so.
    if (version === undefined && this.#requests.state === "open") this.#listen();
  }

  #listen(): void {
    if (this.#listening !== "not yet") return;
    this.#listening = "open";
    void this.#task((task) => this.#hear(task.signal));
  }

  async #hear(signal: AbortSignal): Promise<void> {
    let followed: Followed;
    try {
      followed = await follow(
        // The beginning of a Sluice server's stream is known: what is cut off at once can be resumed, too.
        { last: this.#receiver.sluice ? formatEventId(0, 0) : undefined, byGet: true },
        {
          limits: this.#limits,
          signal,
          get: (last) => this.#requests.get(last, signal),
          take: (event) => this.#receiver.event(event),
          done: () => this.#heardAll(),
        },
      );
    } catch (cause) {
      return this.abort(cause as TransportError);
    }
    const { session } = this.#requests;
    if (this.#heardAll() || followed === "done") this.#listening = "over";
    else if (followed === "none" || (followed === "unknown" && session === undefined))
      this.#listening = "refused";
    else return this.abort(this.#notHeard(followed));
    this.#listened();
  }

  /** Whether nothing more will come by GET. A server that is not ours says so by the end of its response. */
  #heardAll(): boolean {
    return this.#receiver.ended || (this.#sending === "deleted" && !this.#receiver.sluice);
  }

  #notHeard(followed: Followed): TransportError {
    return followed === "unknown"
      ? new TransportError("unknown-session", `${this.label} does not know the session: dial again`)
      : new TransportError("read", `the response of ${this.label} was cut off, and cannot be resumed`);
  }

  /** All was sent: ends our direction, and waits for the server's. */
  async #finish(signal: AbortSignal): Promise<void> {
    await this.#requests.delete(signal);
    this.#sending = "deleted";
    if (this.#receiver.ended) return this.#settle();
    // One of ours says when it has ended. Others end the response to the GET, or never do.
    if (this.#receiver.sluice && this.#listening === "open") return;
    if (this.#listening === "open") {
      const listened = new Promise<void>((resolve) => (this.#listened = resolve));
      await Promise.race([listened, pause(this.#limits.grace, signal)]);
    }
    await this.#receiver.end();
  }

  #settle(): void {
    if (this.#sending === "deleted" && this.#delivery.complete) this.#end(undefined);
  }

  async #task(run: (task: AbortController) => Promise<void>): Promise<void> {
    if (this.#delivery.over) return;
    const task = new AbortController();
    this.#tasks.add(task);
    try {
      await run(task);
    } finally {
      this.#tasks.delete(task);
    }
  }

  #end(error: TransportError | undefined): void {
    this.#delivery.close(error);
    this.#outbox.stop();
    this.#receiver.lost();
    this.#signal?.removeEventListener("abort", this.#onAbort);
    for (const task of this.#tasks) task.abort();
  }
}
