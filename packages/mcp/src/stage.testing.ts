import type { HttpClient } from "@sluice/exec";
import type { Clock } from "./clock.ts";
import { MCP_LIMITS } from "./limits.ts";
import type { JsonRpcMessage } from "./message.ts";
import { StreamableHttp, type StreamableHttpOptions } from "./streamable-http.ts";

/** A request as a server sees it. */
export interface Seen {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly message: JsonRpcMessage | undefined;
  /** What it was: the method of a message, the id of an answer, or the HTTP method. */
  readonly what: string;
}

/** `cut`: the connection breaks without a response. */
export type Answered = Response | "cut" | undefined;
/** What a server answers. undefined is the ordinary: 202, 405 for a GET, 200 for a DELETE; see `ordinary`. */
export type Answer = (seen: Seen) => Answered | Promise<Answered>;

/** A server at `url`, and who makes requests to it. */
export interface Place {
  readonly client: HttpClient;
  readonly url: string;
  close(): Promise<void>;
}
/** Serves requests. A promise that rejects is a connection that breaks; a body that errs, one that breaks in the middle. */
export type MakePlace = (serve: (request: Request) => Promise<Response>) => Promise<Place>;

/** Time that does not pass: each pause is over at once, and noted; but for those that only end what takes too long. */
export class TestClock implements Clock {
  readonly pauses: number[] = [];
  /** Whether those are over at once, too. */
  bounds: "never" | "at once" = "never";
  #now = 0;

  now(): number {
    return this.#now++;
  }

  pause(ms: number, signal?: AbortSignal): Promise<void> {
    const isBound = ms === MCP_LIMITS.previewTime;
    if (!isBound) this.pauses.push(ms);
    if (!isBound || this.bounds === "at once" || signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => signal?.addEventListener("abort", () => resolve(), { once: true }));
  }
}

/** A client, started, and its server. */
export class Stage {
  readonly place: Place;
  readonly http: StreamableHttp;
  readonly clock: TestClock = new TestClock();
  /** What the server saw, in order. */
  readonly seen: Seen[];
  readonly messages: JsonRpcMessage[] = [];
  readonly errors: Error[] = [];
  #waiting: { readonly until: () => boolean; readonly resolve: () => void }[] = [];

  constructor(place: Place, seen: Seen[], options: Partial<StreamableHttpOptions>) {
    this.place = place;
    this.seen = seen;
    this.http = new StreamableHttp(place.url, { client: place.client, clock: this.clock, ...options });
    const onmessage = (message: JsonRpcMessage): void => {
      this.messages.push(message);
      this.look();
    };
    const onerror = (error: Error): void => {
      this.errors.push(error);
      this.look();
    };
    this.hear({ onmessage, onerror });
  }

  /** What the server saw, in order. */
  get whats(): readonly string[] {
    return this.seen.map(({ what }) => what);
  }

  /** The ids and methods of what came. */
  get heard(): readonly unknown[] {
    return this.messages.map(({ id, method }) => method ?? id);
  }

  /** Sets what the client tells. */
  hear(events: Pick<StreamableHttp, "onmessage" | "onerror" | "onclose" | "onreopen">): void {
    Object.assign(this.http, events);
  }

  /** Opens a session, as MCP says. */
  async open(): Promise<void> {
    await this.http.send(INITIALIZE);
    await this.http.send(INITIALIZED);
  }

  send(id: number, method: string = "tools/call", params: object = {}): Promise<void> {
    return this.http.send({ jsonrpc: "2.0", id, method, params });
  }

  /** The answer to that request, when it has come. */
  async answer(id: number): Promise<JsonRpcMessage> {
    const find = (): JsonRpcMessage | undefined =>
      this.messages.find((message) => message.id === id && message.method === undefined);
    await this.until(() => find() !== undefined);
    return find()!;
  }

  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ until: condition, resolve });
      this.look();
    });
  }

  look(): void {
    const due = this.#waiting.filter((one) => one.until());
    this.#waiting = this.#waiting.filter((one) => !due.includes(one));
    for (const one of due) one.resolve();
  }

  async close(): Promise<void> {
    await this.http.close();
    await this.place.close();
  }
}

export async function stage(
  make: MakePlace,
  answer: Answer,
  options: Partial<StreamableHttpOptions> = {},
): Promise<Stage> {
  const seen: Seen[] = [];
  const place = await make(async (request) => {
    const text = request.method === "POST" ? await request.text() : "";
    const message = text === "" ? undefined : (JSON.parse(text) as JsonRpcMessage);
    const { method, url, headers } = request;
    const what = message?.method ?? (message === undefined ? method : `answer ${message.id}`);
    const one: Seen = { method, url: new URL(url), headers, message, what };
    seen.push(one);
    made.look();
    const answered = (await answer(one)) ?? ordinary(one);
    if (answered === "cut") throw new Error("cut");
    return answered;
  });
  const made = new Stage(place, seen, options);
  await made.http.start();
  return made;
}

export const VERSION = "2025-11-25";
export const INITIALIZE: JsonRpcMessage = {
  jsonrpc: "2.0",
  id: 0,
  method: "initialize",
  params: { protocolVersion: VERSION, capabilities: {}, clientInfo: { name: "test", version: "1" } },
};
const INITIALIZED: JsonRpcMessage = { jsonrpc: "2.0", method: "notifications/initialized" };

const JSON_TYPE = { "content-type": "application/json" };
const text = (message: JsonRpcMessage): string => JSON.stringify({ jsonrpc: "2.0", ...message });

/** What a server answers that knows one session, `s`, and has no stream for GET. */
export function ordinary(seen: Seen, session: string | undefined = "s"): Response {
  if (seen.what === "initialize") return opened(seen, session);
  if (seen.message?.id !== undefined && seen.message.method !== undefined)
    return json({ id: seen.message.id, result: {} });
  if (seen.method === "GET") return new Response(null, { status: 405 });
  return new Response(null, { status: seen.method === "POST" ? 202 : 200 });
}

/** The answer to `initialize`. */
export function opened(seen: Seen, session?: string, version: string = VERSION): Response {
  const result = { protocolVersion: version, capabilities: {}, serverInfo: { name: "s", version: "1" } };
  return json(
    { id: seen.message!.id, result },
    200,
    session === undefined ? {} : { "mcp-session-id": session },
  );
}

export function json(
  message: JsonRpcMessage,
  status: number = 200,
  headers: Record<string, string> = {},
): Response {
  return new Response(text(message), { status, headers: { ...JSON_TYPE, ...headers } });
}

export function event(message: JsonRpcMessage, id?: string): string {
  return `${id === undefined ? "" : `id: ${id}\n`}data: ${text(message)}\n\n`;
}

/** An event stream with these. `then`: how it goes on after them. */
export function sse(events: readonly string[], then: "end" | "cut" | "stay" = "end"): Response {
  return live(events, then).response;
}

export interface Live {
  readonly response: Response;
  send(text: string): void;
  end(): void;
  cut(): void;
  /** All that was to be sent has been taken, and more is asked for. */
  readonly read: Promise<void>;
  /** The client has let go of it. */
  readonly cancelled: Promise<void>;
}

/** A response whose body is being written. */
export function live(
  first: readonly string[] = [],
  then: "end" | "cut" | "stay" = "stay",
  init: ResponseInit = { headers: { "content-type": "text/event-stream" } },
): Live {
  let cancel = (): void => {};
  const cancelled = new Promise<void>((resolve) => (cancel = resolve));
  let asked = (): void => {};
  const read = new Promise<void>((resolve) => (asked = resolve));
  const encoder = new TextEncoder();
  const queue = first.map((one) => encoder.encode(one));
  let state: "open" | "end" | "cut" = then === "stay" ? "open" : then;
  let pulled = (): void => {};
  const body = new ReadableStream<Uint8Array>(
    {
      // One at a time, so that what was sent before the cut has left before it.
      async pull(controller) {
        if (queue.length === 0) asked();
        if (queue.length === 0 && state === "open") await new Promise<void>((resolve) => (pulled = resolve));
        const next = queue.shift();
        if (next !== undefined) controller.enqueue(next);
        else if (state === "cut") controller.error(new TypeError("cut"));
        else if (state === "end") controller.close();
      },
      cancel() {
        cancel();
        pulled();
      },
    },
    { highWaterMark: 0 },
  );
  const change = (what: () => void): void => {
    what();
    pulled();
  };
  return {
    response: new Response(body, init),
    send: (sent) => change(() => queue.push(encoder.encode(sent))),
    end: () => change(() => (state = "end")),
    cut: () => change(() => (state = "cut")),
    read,
    cancelled,
  };
}
