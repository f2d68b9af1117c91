// A peer that says exactly what the test tells it, over a link in memory, and keeps what it hears.
import { memoryPair, type Transport } from "@sluice/transport";

export type Json = Record<string, unknown>;

export class RawPeer {
  /** The end for the connection that is tested. */
  readonly transport: Transport;
  readonly heard: Json[] = [];
  ended: "no" | "yes" = "no";
  readonly #ours: Transport;
  readonly #waiting: (() => void)[] = [];

  constructor() {
    const [theirs, ours] = memoryPair({ unit: "messages" });
    this.transport = theirs;
    this.#ours = ours;
    ours.start({
      onData: (chunk) => {
        const text = typeof chunk === "string" ? chunk : new TextDecoder().decode(chunk);
        for (const line of text.split("\n"))
          if (line.trim() !== "") this.heard.push(JSON.parse(line) as Json);
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
    this.#ours.write(
      messages.map((message) => (typeof message === "string" ? message : JSON.stringify(message))),
    );
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
