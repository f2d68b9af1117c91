// Streamable HTTP as a Sluice transport, so that a session of dialect `mcp` can speak through it. Messages leave in the
// order of writing: the next one waits until the server has taken a notification or an answer, and for the answer to
// `initialize`; requests do not make each other wait, for servers that answer by JSON take them only with the answer.
import { TransportError, type Chunk, type Transport, type TransportEvents } from "@sluice/transport";
import { failed } from "./endpoint.ts";
import { parseMessages, requestId, type JsonRpcMessage } from "./message.ts";
import type { StreamableHttp } from "./streamable-http.ts";

/**
 * For `connect` of @sluice/session, with dialect `mcp`. It takes the events `onmessage` and `onclose` of `http`, which must
 * not have been started; closing it ends the session at the server. A request that fails is answered by an error -32001;
 * where a notification or an answer fails, a message is lost, and the transport ends with code `write`.
 */
export function mcpTransport(http: StreamableHttp): Transport {
  return new McpTransport(http);
}

interface Outgoing {
  readonly message: JsonRpcMessage;
  readonly size: number;
}

class McpTransport implements Transport {
  readonly unit = "messages";
  readonly encoding = "json";
  readonly label: string;
  readonly #http: StreamableHttp;
  readonly #queue: Outgoing[] = [];
  #events: TransportEvents | undefined;
  #state: "open" | "ended" | "over" = "open";
  #sending: "idle" | "busy" = "idle";
  #room: "some" | "full" = "some";
  #reading: "on" | "paused" = "on";
  /** What waits for `resume`. */
  #held: (() => void)[] = [];
  /** UTF-16 units that the server has not taken. */
  #waiting = 0;

  constructor(http: StreamableHttp) {
    const { origin, pathname } = new URL(http.url);
    this.label = `${origin}${pathname}`;
    this.#http = http;
  }

  start(events: TransportEvents): void {
    this.#events = events;
    Object.assign(this.#http, {
      onmessage: (message: JsonRpcMessage) => this.#deliver(message),
      onclose: () => this.#end(undefined),
    });
    this.#http.start().catch((cause: unknown) => {
      this.#end(new TransportError("connect", `${this.label}: ${(cause as Error).message}`, { cause }));
    });
  }

  /** @throws TypeError where a chunk is not one JSON-RPC message; nothing is taken then. */
  write(chunks: readonly Chunk[]): boolean {
    if (this.#state !== "open") return false;
    for (const out of chunks.map(outgoing)) {
      this.#queue.push(out);
      this.#waiting += out.size;
    }
    this.#run();
    if (this.#waiting > this.#http.limits.highWater) this.#room = "full";
    return this.#room === "some";
  }

  pause(): void {
    this.#reading = "paused";
  }

  resume(): void {
    this.#reading = "on";
    for (const go of this.#held.splice(0)) go();
  }

  close(): void {
    if (this.#state !== "open") return;
    this.#state = "ended";
    this.#run();
  }

  abort(error?: TransportError): void {
    if (this.#state === "over") return;
    this.#end(error);
    void this.#leave();
  }

  async #leave(): Promise<void> {
    const terminated = this.#http.terminateSession();
    await this.#http.close();
    await terminated.catch(() => {}); // the server ends it when it has heard nothing for long
  }

  #run(): void {
    if (this.#sending === "busy") return;
    this.#sending = "busy";
    // Not in the turn of `write`.
    void Promise.resolve().then(() => this.#flush());
  }

  async #flush(): Promise<void> {
    for (let out = this.#queue.shift(); out !== undefined; out = this.#queue.shift()) {
      const sent = this.#send(out);
      if (requestId(out.message) === undefined || out.message.method === "initialize") await sent;
    }
    this.#sending = "idle";
    if (this.#state === "ended") await this.#http[Symbol.asyncDispose]();
  }

  async #send({ message, size }: Outgoing): Promise<void> {
    try {
      await this.#http.send(message);
    } catch (cause) {
      await this.#failed(message, cause);
    }
    this.#waiting -= size;
    if (this.#room === "some" || this.#waiting > this.#http.limits.highWater / 2) return;
    this.#room = "some";
    if (this.#state === "open") this.#events?.onDrain();
  }

  #failed(message: JsonRpcMessage, cause: unknown): Promise<void> | void {
    if (this.#state === "over") return undefined;
    const { message: text, kind, status, mayHaveRun } = failed(cause);
    const id = requestId(message);
    if (id === undefined)
      return this.abort(
        new TransportError("write", `${this.label} did not take a message: ${text}`, { cause }),
      );
    const error = { code: -32001, message: text, data: { kind, status, mayHaveRun } };
    return this.#deliver({ jsonrpc: "2.0", id, error });
  }

  async #deliver(message: JsonRpcMessage): Promise<void> {
    if (this.#reading === "paused") await new Promise<void>((resolve) => this.#held.push(resolve));
    if (this.#state !== "over") this.#events?.onData(JSON.stringify(message));
  }

  #end(error: TransportError | undefined): void {
    if (this.#state === "over") return;
    this.#state = "over";
    this.#queue.length = 0;
    for (const go of this.#held.splice(0)) go();
    if (error === undefined) this.#events?.onEnd();
    this.#events?.onClose(error);
  }
}

/** @throws TypeError where it is not one JSON-RPC message. */
function outgoing(chunk: Chunk): Outgoing {
  const text = typeof chunk === "string" ? chunk : new TextDecoder().decode(chunk);
  const [message, more] = parseMessages(text) ?? [];
  if (message === undefined || more !== undefined)
    throw new TypeError("this transport carries JSON-RPC, one message at a time");
  return { message, size: text.length };
}
