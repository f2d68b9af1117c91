import type { Transport, TransportError } from "@sluice/transport";
import type { EventSourceMessage } from "eventsource-parser";
import type { Fetch } from "./options.ts";
import { URL_OF_DIRECT } from "./pairs.testing.ts";
import { readEvents } from "./read-events.ts";

/** A JSON-RPC message, as far as tests look at one. */
export interface Message {
  readonly jsonrpc?: string;
  readonly id?: string | number | null;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}

/** One end of a session, started: what it has heard, and what it says. */
export class McpEnd {
  readonly transport: Transport;
  readonly messages: Message[] = [];
  /** Called for each message, after it was noted. */
  onMessage: (message: Message) => void;
  drains = 0;
  state: "open" | "ended" | "closed" = "open";
  error: TransportError | undefined;
  #waiting: { readonly until: () => boolean; readonly resolve: () => void }[] = [];

  constructor(transport: Transport, onMessage: (message: Message) => void = () => {}) {
    this.transport = transport;
    this.onMessage = onMessage;
    transport.start({
      onData: (chunk) => {
        const message = JSON.parse(String(chunk)) as Message;
        this.messages.push(message);
        this.#look();
        this.onMessage(message);
      },
      onDrain: () => {
        this.drains++;
        this.#look();
      },
      onEnd: () => {
        this.state = "ended";
        this.#look();
      },
      onClose: (error) => {
        this.state = "closed";
        this.error = error;
        this.#look();
      },
    });
  }

  /** The methods of what came, and the ids of answers, in order. */
  get heard(): readonly (string | number | null | undefined)[] {
    return this.messages.map((message) => message.method ?? message.id);
  }

  send(...messages: Message[]): boolean {
    return this.transport.write(messages.map((message) => JSON.stringify({ jsonrpc: "2.0", ...message })));
  }

  notify(...methods: string[]): boolean {
    return this.send(...methods.map((method) => ({ method })));
  }

  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ until: condition, resolve });
      this.#look();
    });
  }

  /** Resolves when so many messages have come. */
  count(count: number): Promise<void> {
    return this.until(() => this.messages.length >= count);
  }

  closed(): Promise<void> {
    return this.until(() => this.state === "closed");
  }

  #look(): void {
    const due = this.#waiting.filter((one) => one.until());
    this.#waiting = this.#waiting.filter((one) => !due.includes(one));
    for (const one of due) one.resolve();
  }
}

/** An end that answers each request with its own params. */
export function echo(transport: Transport): McpEnd {
  const end: McpEnd = new McpEnd(transport, ({ id, method, params }) => {
    if (method !== undefined && id !== undefined) end.send({ id, result: { ...params } });
  });
  return end;
}

export const INITIALIZE: string = JSON.stringify({
  jsonrpc: "2.0",
  id: 0,
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "test", version: "1" } },
});

/** A client that is nothing but its requests. */
export class RawClient {
  readonly #fetch: Fetch;
  session: string | undefined;

  constructor(fetch: Fetch) {
    this.#fetch = fetch;
  }

  /** A POST as it should be, but for `headers`; null leaves one out. */
  post(
    body: string | Uint8Array<ArrayBuffer>,
    headers: Record<string, string | null> = {},
  ): Promise<Response> {
    return this.request("POST", headers, body);
  }

  get(last?: string, headers: Record<string, string | null> = {}): Promise<Response> {
    const from = last === undefined ? {} : { "last-event-id": last };
    return this.request("GET", { accept: "text/event-stream", ...from, ...headers });
  }

  delete(): Promise<Response> {
    return this.request("DELETE", {});
  }

  async open(body: string = INITIALIZE): Promise<Response> {
    const response = await this.post(body);
    this.session = response.headers.get("mcp-session-id") ?? undefined;
    return response;
  }

  request(
    method: string,
    headers: Record<string, string | null>,
    body?: string | Uint8Array<ArrayBuffer>,
  ): Promise<Response> {
    const all = new Headers();
    const wanted: Record<string, string | null> = {
      accept: "application/json, text/event-stream",
      "mcp-session-id": this.session ?? null,
      ...(body !== undefined && { "content-type": "application/json" }),
      ...headers,
    };
    for (const [name, value] of Object.entries(wanted)) if (value !== null) all.set(name, value);
    return this.#fetch(URL_OF_DIRECT, { method, headers: all, ...(body !== undefined && { body }) });
  }
}

/** The events of a response, one by one. */
export class RawEvents {
  readonly #events: AsyncGenerator<EventSourceMessage, void, undefined>;
  readonly #abort = new AbortController();
  retry: number | undefined;

  constructor(response: Response) {
    this.#events = readEvents(response.body!, 64 * 1024 * 1024, this.#abort.signal, {
      onId() {},
      onRetry: (ms) => void (this.retry = ms),
    });
  }

  /** The next event; undefined where the response ends. */
  async next(): Promise<EventSourceMessage | undefined> {
    const { value, done } = await this.#events.next();
    return done === true ? undefined : value;
  }

  /** The next message. */
  async message(): Promise<Message> {
    const event = await this.next();
    return JSON.parse(event?.data ?? "") as Message;
  }

  /** All that comes before it ends. */
  async rest(): Promise<EventSourceMessage[]> {
    const rest: EventSourceMessage[] = [];
    for (let event = await this.next(); event !== undefined; event = await this.next()) rest.push(event);
    return rest;
  }

  async cut(): Promise<void> {
    this.#abort.abort();
    await this.#events.return();
  }
}

/** What a refusal says. */
export async function refused(
  response: Response,
): Promise<{ status: number; code: number; id: unknown; text: string }> {
  const text = await response.text();
  const { id, error } = JSON.parse(text) as Message;
  return { status: response.status, code: error?.code ?? 0, id, text };
}
