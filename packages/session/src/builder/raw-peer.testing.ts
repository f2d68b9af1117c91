// A peer that says exactly what the test tells it, over a link in memory, and keeps what it hears.
import { memoryPair, type Transport } from "@sluice/transport";

export type Json = Record<string, unknown>;

/** How messages arrive that are said together: what a transport makes of them must not matter. */
export const WAYS = ["in one turn", "in one chunk", "in one batch", "in separate turns"] as const;
export type Way = (typeof WAYS)[number];

export class RawPeer {
  /** The end for the connection that is tested. */
  readonly transport: Transport;
  readonly heard: Json[] = [];
  ended: "no" | "yes" = "no";
  readonly #ours: Transport;
  readonly #waiting: (() => void)[] = [];
  readonly #utf8: TextDecoder = new TextDecoder();
  #partial = "";

  constructor(unit: "messages" | "bytes" = "messages") {
    const [theirs, ours] = memoryPair({ unit });
    this.transport = theirs;
    this.#ours = ours;
    ours.start({
      onData: (chunk) => {
        const text = typeof chunk === "string" ? chunk : this.#utf8.decode(chunk, { stream: true });
        const lines = (this.#partial + text).split("\n");
        this.#partial = ours.unit === "bytes" ? lines.pop()! : "";
        for (const line of lines) if (line.trim() !== "") this.heard.push(JSON.parse(line) as Json);
        this.#tell();
      },
      onDrain: () => {},
      onEnd: () => {
        this.ended = "yes";
        this.#tell();
        ours.close();
      },
      onClose: () => this.#tell(),
    });
  }

  /** Says these messages in one turn, each by itself; text goes as it is. */
  say(...messages: readonly (Json | readonly Json[] | string)[]): void {
    const texts = messages.map((message) =>
      typeof message === "string" ? message : JSON.stringify(message),
    );
    if (this.#ours.unit === "messages") this.#ours.write(texts);
    else this.#ours.write(texts.map((text) => UTF8.encode(`${text}\n`)));
  }

  /** Says bytes as they are. */
  bytes(...chunks: readonly Uint8Array[]): void {
    this.#ours.write(chunks);
  }

  /** Says these messages so that they arrive this way; in one chunk only on a peer of bytes. */
  async sayThus(way: Way, ...messages: readonly Json[]): Promise<void> {
    if (way === "in one batch") this.say(messages);
    else if (way === "in one turn") this.say(...messages);
    else if (way === "in one chunk")
      this.bytes(UTF8.encode(messages.map((message) => `${JSON.stringify(message)}\n`).join("")));
    else
      for (const message of messages) {
        this.say(message);
        await quiet(1);
      }
  }

  /** Says a request or notification. */
  request(id: unknown, method: string, params?: unknown): void {
    this.say({ jsonrpc: "2.0", id, method, ...(params === undefined ? {} : { params }) });
  }
  notify(method: string, params?: unknown): void {
    this.say({ jsonrpc: "2.0", method, ...(params === undefined ? {} : { params }) });
  }

  /** The end of what it says. */
  end(): void {
    this.#ours.close();
  }
  /** Vanishes. */
  abort(): void {
    this.#ours.abort();
  }

  /** The next message it has not returned yet that `is` is true of. */
  async next(is: (message: Json) => boolean = () => true): Promise<Json> {
    for (;;) {
      const at = this.heard.findIndex(is);
      if (at >= 0) return this.heard.splice(at, 1)[0]!;
      if (this.ended === "yes") throw new Error("the connection ended before it said that");
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** The answer to `id`. */
  answer(id: unknown): Promise<Json> {
    return this.next((message) => message["id"] === id && message["method"] === undefined);
  }

  /** The next request or notification of a method. */
  called(method: string): Promise<Json> {
    return this.next((message) => message["method"] === method);
  }

  #tell(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

const UTF8: TextEncoder = new TextEncoder();

/** A peer that can speak this way. */
export function peerFor(way: Way): RawPeer {
  return new RawPeer(way === "in one chunk" ? "bytes" : "messages");
}

/** Messages, to be said together. */
export function call(id: unknown, method: string, params?: unknown): Json {
  return { jsonrpc: "2.0", id, method, ...(params === undefined ? {} : { params }) };
}
export function notice(method: string, params?: unknown): Json {
  return { jsonrpc: "2.0", method, ...(params === undefined ? {} : { params }) };
}
export function answer(id: unknown, result: unknown): Json {
  return { jsonrpc: "2.0", id, result };
}

/** A promise and what settles it. */
export function gate<T = void>(): { readonly opened: Promise<T>; open(value: T): void } {
  let open!: (value: T) => void;
  const opened = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** Lets everything run that is due. */
export async function quiet(turns = 5): Promise<void> {
  for (let turn = 0; turn < turns; turn++)
    await new Promise<void>((resolve) => {
      const { port1, port2 } = new MessageChannel();
      port1.addEventListener("message", () => {
        port1.close();
        resolve();
      });
      port1.start();
      port2.postMessage(0);
    });
}
