// A session over the mcp wire at the server: MCP 2025-11-25 "Streamable HTTP". Each POST brings one message; the answer
// to a request comes in the response to its POST, and its progress before it; everything else in the response to a GET.
// A response that is cut can be resumed; the session ends by DELETE, and by `close`.
import { TransportError, type Transport } from "@sluice/transport";
import { peek, progressToken, protocolVersion, type Envelope, type RequestId } from "./envelope.ts";
import { parseEventId } from "./event-id.ts";
import { memoryEventStore } from "./event-store.ts";
import { McpServerTransport } from "./mcp-server-transport.ts";
import { knowsPriming, MCP_VERSIONS } from "./mcp-versions.ts";
import { accepts, isJson } from "./media.ts";
import type { McpServerOptions } from "./options.ts";
import { readText } from "./read-text.ts";
import { refusal } from "./refusal.ts";
import type { Opening, ServerSession, SessionContext } from "./server-session.ts";

/** What a session over the mcp wire is given by the handler. */
export interface McpContext extends SessionContext, McpServerOptions {}

/**
 * Opens a session for a POST without one, which must bring a request: `initialize`, or any in dialects without it.
 * Resolves with the answer where it brings something else; then there is no session. Never rejects.
 */
export async function openMcp(request: Request, context: McpContext): Promise<Opening | Response> {
  const refused = judgePost(request);
  if (refused !== undefined) return refused;
  const text = await readText(request, context.limits);
  if (text instanceof Response) return text;
  const envelope = peek(text);
  if (envelope.kind === "invalid") return refusal(400, envelope.message, { code: envelope.code });
  if (envelope.kind !== "request")
    return refusal(400, `${context.headers.session} is missing: only a request opens a session`);
  // `initialize` settles the version. What opens by another request has no version of MCP, or one without sessions.
  const unspoken = envelope.method === "initialize" ? undefined : judgeVersion(request, context);
  if (unspoken !== undefined) return unspoken;
  const session = new McpServer(context, envelope);
  return { session, response: session.begin(request, text, envelope) };
}

type RequestEnvelope = Extract<Envelope, { kind: "request" }>;

class McpServer implements ServerSession {
  readonly #context: McpContext;
  readonly #transport: McpServerTransport;
  /** What the session began with: a second `initialize` is refused, other dialects have none. */
  readonly #opened: "initialize" | "otherwise";
  /** What the client speaks, as it said when it opened the session; undefined in dialects without versions. */
  readonly #version: string | undefined;
  /** Requests under way. */
  #requests = 0;
  /** Of these, those whose message is on its way to the user. */
  #taking = 0;

  constructor(context: McpContext, first: RequestEnvelope) {
    this.#context = context;
    this.#opened = first.method === "initialize" ? "initialize" : "otherwise";
    this.#version = this.#opened === "initialize" ? protocolVersion(first.params) : undefined;
    const { id, limits } = context;
    const store = context.store ?? memoryEventStore({ events: limits.keptEvents, bytes: limits.keptBytes });
    this.#transport = new McpServerTransport({ id, limits, store, onOver: () => context.ended() });
  }

  get transport(): Transport {
    return this.#transport;
  }

  get open(): number {
    return this.#requests + this.#transport.streams.connected;
  }

  abort(error?: TransportError): void {
    this.#transport.abort(error);
  }

  /** Takes the message that opened the session. A client that leaves before it is answered does not know the session's id. */
  async begin(request: Request, text: string, envelope: RequestEnvelope): Promise<Response> {
    const left = (): void =>
      this.abort(new TransportError("closed", "the HTTP client left before its session was opened"));
    request.signal.addEventListener("abort", left);
    try {
      return await this.#counted(() => this.#request(text, envelope, this.#primed(null)));
    } finally {
      request.signal.removeEventListener("abort", left);
    }
  }

  handle(request: Request): Promise<Response> {
    return this.#counted(() => this.#handle(request));
  }

  async #counted(answer: () => Promise<Response>): Promise<Response> {
    this.#requests++;
    try {
      return await answer();
    } finally {
      this.#requests--;
    }
  }

  async #handle(request: Request): Promise<Response> {
    if (this.#transport.over) return gone();
    const refused = judgeVersion(request, this.#context);
    if (refused !== undefined) return refused;
    const version = request.headers.get(this.#context.headers.version);
    switch (request.method) {
      case "POST":
        return this.#post(request, version);
      case "GET":
        return this.#get(request, version);
      case "DELETE":
        if (!this.#transport.receives) return gone();
        this.#transport.endInput();
        return new Response(null, { status: 204 });
      default:
        return refusal(405, "this is no method of a session", { headers: { Allow: "GET, POST, DELETE" } });
    }
  }

  async #post(request: Request, version: string | null): Promise<Response> {
    const refused = judgePost(request) ?? this.#full(this.#taking + 1);
    if (refused !== undefined) {
      void request.body?.cancel().catch(() => {});
      return refused;
    }
    this.#taking++;
    const text = await readText(request, this.#context.limits).finally(() => this.#taking--);
    if (text instanceof Response) return text;
    if (!this.#transport.receives) return gone();
    const envelope = peek(text);
    if (envelope.kind === "invalid") return refusal(400, envelope.message, { code: envelope.code });
    if (envelope.kind !== "request") {
      await this.#deliver(text, undefined);
      return this.#transport.over ? gone() : new Response(null, { status: 202, headers: this.#headers() });
    }
    if (envelope.method === "initialize" && this.#opened === "initialize")
      return refusal(400, "this session is initialized: open a new one, without a session header");
    return this.#request(text, envelope, this.#primed(version));
  }

  async #request(text: string, envelope: RequestEnvelope, primed: boolean): Promise<Response> {
    const { streams, answers } = this.#transport;
    if (!answers) return gone();
    const { id } = envelope;
    if (streams.has(id)) return refusal(400, "a request with this id is under way (JSON-RPC 4)");
    // Before it is delivered: it may be answered at once.
    if (this.#context.answers === "json") {
      const { response } = streams.openJson(id, this.#headers());
      await this.#deliver(text, id);
      return response;
    }
    const body = streams.open(id, progressToken(envelope.params), primed);
    await this.#deliver(text, id);
    return this.#transport.over ? gone() : this.#stream(body);
  }

  async #deliver(text: string, id: RequestId | undefined): Promise<void> {
    this.#taking++;
    await this.#transport.deliver(text, id);
    this.#taking--;
  }

  #full(taking: number): Response | undefined {
    if (taking + this.#transport.streams.size <= this.#context.limits.open) return undefined;
    return refusal(429, "too many requests of this session are under way (limits.open)");
  }

  async #get(request: Request, version: string | null): Promise<Response> {
    if (!accepts(request.headers.get("accept"), "text/event-stream"))
      return refusal(406, "Accept has to list text/event-stream");
    const { streams } = this.#transport;
    const last = request.headers.get("last-event-id");
    if (last === null) {
      const body = streams.listen(this.#primed(version));
      if (body === "over") return this.#pastTheEnd();
      if (body === "conflict") return refusal(409, "another GET of this session is under way");
      return this.#stream(body);
    }
    const cursor = parseEventId(last);
    const body =
      cursor === undefined
        ? "unknown"
        : await streams.resume(cursor, this.#primed(version), this.#context.limits.open);
    if (this.#transport.over) return gone();
    switch (body) {
      case "unknown":
        return refusal(400, "Last-Event-ID: this session has sent no such event");
      case "forgotten":
        return refusal(400, "Last-Event-ID: what came after this event is kept no more");
      case "full":
        return this.#full(Infinity) ?? gone();
      case "replaced":
        return refusal(409, "a later GET goes on with this stream");
      case "over":
        return this.#pastTheEnd();
      default:
        return this.#stream(body);
    }
  }

  /** A client that was told the end and asks for more does not know what it was told: the session is over for it. */
  #pastTheEnd(): Response {
    this.#transport.endInput();
    return gone();
  }

  #stream(body: ReadableStream<Uint8Array>): Response {
    const headers = {
      ...this.#headers(),
      "Content-Type": "text/event-stream",
      "Cache-Control": "no-cache, no-store, no-transform",
      "X-Accel-Buffering": "no",
    };
    return new Response(body, { headers });
  }

  #headers(): Record<string, string> {
    return { [this.#context.headers.session]: this.#context.id };
  }

  /** Whether the client knows events without data. Dialects without versions are spoken by ours, which do. */
  #primed(header: string | null): boolean {
    const version = header ?? this.#version;
    return version === undefined || knowsPriming(version);
  }
}

/** Whether a POST may bring a message. */
function judgePost(request: Request): Response | undefined {
  const accept = request.headers.get("accept");
  if (!accepts(accept, "application/json") || !accepts(accept, "text/event-stream"))
    return refusal(406, "Accept has to list application/json and text/event-stream");
  if (!isJson(request.headers.get("content-type")))
    return refusal(415, "Content-Type has to be application/json, in UTF-8");
  return undefined;
}

/** Whether a request names a version that is spoken here, or none. */
function judgeVersion(request: Request, context: McpContext): Response | undefined {
  const { headers, versions = MCP_VERSIONS } = context;
  const version = request.headers.get(headers.version);
  if (version === null || versions === "any" || versions.includes(version)) return undefined;
  return refusal(400, `${headers.version}: this server speaks ${versions.join(", ")} (option versions)`);
}

function gone(): Response {
  return refusal(404, "no such session: open a new one");
}
