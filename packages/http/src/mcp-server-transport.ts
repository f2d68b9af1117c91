import {
  TransportError,
  type Chunk,
  type CloseCause,
  type Transport,
  type TransportEvents,
} from "@sluice/transport";
import { Delivery } from "./delivery.ts";
import { peek, progressOf, type Envelope, type RequestId } from "./envelope.ts";
import type { EventStore } from "./event-store.ts";
import { encodeLastWord } from "./last-word.ts";
import type { HttpLimits } from "./limits.ts";
import { OutgoingStreams } from "./outgoing-streams.ts";

/** What the transport needs of its session. */
export interface McpServerTransportOptions {
  readonly id: string;
  readonly limits: HttpLimits;
  readonly store: EventStore;
  /** It is over: nothing is to be handed to it any more. */
  onOver(): void;
}

/** The server's end of a session over the mcp wire. */
export class McpServerTransport implements Transport {
  readonly unit = "messages";
  readonly encoding = "json";
  readonly label = "an HTTP client";
  readonly streams: OutgoingStreams;
  readonly #delivery: Delivery;
  readonly #options: McpServerTransportOptions;
  #sending: "open" | "full" | "ended" = "open";
  /** `ended`: the client has ended its direction; `told`: the user knows. */
  #receiving: "open" | "ended" | "told" = "open";
  /** UTF-16 units that wait to be handed over. */
  #waiting = 0;
  /** The request that is being delivered: an error without id, written meanwhile, is the answer to it. */
  #delivering: RequestId | undefined;
  /** Settles when all that came before is delivered. */
  #delivered: Promise<void> = Promise.resolve();

  constructor(options: McpServerTransportOptions) {
    this.#options = options;
    this.#delivery = new Delivery(this.label, {
      onEndTold: () => {
        this.#receiving = "told";
        this.#settle();
      },
      onThrow: (error) => this.abort(error),
    });
    const { id, store, limits } = options;
    this.streams = new OutgoingStreams({
      id,
      store,
      keepAlive: limits.keepAlive,
      retry: limits.retry,
      idle: limits.idle,
      onTaken: (size) => this.#taken(size),
      onSettled: () => this.#settle(),
      onStoreFailure: (cause) =>
        this.abort(new TransportError("write", "the event store failed: an event was not kept", { cause })),
    });
  }

  get over(): boolean {
    return this.#delivery.over;
  }
  /** Whether requests can still be answered. */
  get answers(): boolean {
    return this.#sending !== "ended" && !this.over;
  }
  /** Whether the client may still send. */
  get receives(): boolean {
    return this.#receiving === "open" && !this.over;
  }

  start(events: TransportEvents): void {
    this.#delivery.start(events);
  }

  /** @throws TypeError where a chunk is not one JSON-RPC message; nothing is taken then. */
  write(chunks: readonly Chunk[]): boolean {
    if (!this.answers) return false;
    const messages = chunks.map(toMessage);
    for (const { text, envelope } of messages) {
      this.#waiting += text.length;
      this.#route(text, envelope);
    }
    if (this.#waiting <= this.#options.limits.highWater || !this.answers) return this.answers;
    this.#sending = "full";
    return false;
  }

  pause(): void {
    this.#delivery.pause();
  }

  resume(): void {
    this.#delivery.resume();
  }

  close(reason: string = "", cause: CloseCause = "done"): void {
    if (!this.answers) return;
    this.#sending = "ended";
    this.streams.end(encodeLastWord(cause, reason));
    this.#settle();
  }

  abort(error?: TransportError): void {
    if (this.over) return;
    this.#end(error);
    this.streams.abort(error);
  }

  /** Hands a message to the user, once all before it are delivered and the user wants it. */
  deliver(text: string, id: RequestId | undefined): Promise<void> {
    this.#delivered = this.#delivered
      .then(() => this.#delivery.ready())
      .then(() => {
        this.#delivering = id;
        this.#delivery.push(text);
        this.#delivering = undefined;
      });
    return this.#delivered;
  }

  /** The client sends no more. */
  endInput(): void {
    if (!this.receives) return;
    this.#receiving = "ended";
    void this.#delivered.then(() => this.#delivery.end());
  }

  #route(text: string, envelope: Envelope): void {
    if (envelope.kind !== "answer") return this.streams.write(text, progressOf(envelope));
    const id = envelope.id ?? this.#delivering;
    // An answer to nobody, or to a request that was answered before.
    if (id === undefined || !this.streams.answer(id, text)) this.#taken(text.length);
  }

  #taken(size: number): void {
    this.#waiting -= size;
    if (this.#sending === "full" && this.#waiting <= this.#options.limits.highWater / 2) {
      this.#sending = "open";
      this.#delivery.drain();
    }
    this.#settle();
  }

  #settle(): void {
    if (this.over || this.#sending !== "ended" || this.#receiving !== "told") return;
    if (this.streams.flushed(true)) this.#end(undefined);
  }

  async #forget(): Promise<void> {
    try {
      await this.#options.store.forget(this.#options.id);
    } catch {
      // What it still keeps, nobody will ask for.
    }
  }

  #end(error: TransportError | undefined): void {
    this.#sending = "ended";
    this.#delivery.close(error);
    void this.#forget();
    this.#options.onOver();
  }
}

function toMessage(chunk: Chunk): { readonly text: string; readonly envelope: Envelope } {
  const text = typeof chunk === "string" ? chunk : new TextDecoder().decode(chunk);
  const envelope = peek(text);
  if (envelope.kind === "invalid")
    throw new TypeError(`this transport carries JSON-RPC: ${envelope.message}`);
  return { text, envelope };
}
