// A client that knows WebSocket and JSON-RPC, and nothing of Sluice: the `ws` package.
import { WebSocket, type RawData } from "ws";

// oxlint-disable-next-line typescript/no-explicit-any -- whatever was heard
export type Json = any;

export interface Closed {
  readonly code: number;
  readonly reason: string;
}

export class PlainClient {
  readonly socket: WebSocket;
  readonly closed: Promise<Closed>;
  readonly #heard: Buffer[] = [];
  #news: () => void = () => {};

  constructor(url: string, protocols: readonly string[]) {
    this.socket = new WebSocket(url, [...protocols]);
    this.socket.on("message", (data: RawData) => {
      this.#heard.push(data as Buffer);
      this.#news();
    });
    this.socket.on("error", () => {});
    this.closed = new Promise((resolve) =>
      this.socket.on("close", (code, reason) => resolve({ code, reason: String(reason) })),
    );
  }

  static async open(url: string, protocols: readonly string[] = []): Promise<PlainClient> {
    const client = new PlainClient(url, protocols);
    await new Promise((resolve, reject) => {
      client.socket.once("open", resolve);
      client.socket.once("error", reject);
    });
    return client;
  }

  say(message: unknown): this {
    this.socket.send(typeof message === "string" ? message : JSON.stringify(message));
    return this;
  }

  call(id: unknown, method: string, params?: unknown): this {
    return this.say({ jsonrpc: "2.0", id, method, params });
  }

  /** The next message, whole. */
  async next(): Promise<Buffer> {
    while (this.#heard.length === 0) await new Promise<void>((resolve) => (this.#news = resolve));
    return this.#heard.shift()!;
  }

  async json(): Promise<Json> {
    return JSON.parse(String(await this.next()));
  }
}
