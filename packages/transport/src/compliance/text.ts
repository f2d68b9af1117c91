// The cases send chunks of any content; some transports carry nothing but JSON-RPC messages. This puts each chunk into a
// notification and takes it out again, so that such a transport is held to the same rules.
import type { Chunk, CloseCause, Transport, TransportEvents } from "../transport.ts";

/**
 * A transport of messages on which each chunk travels as a notification `chunk`, bytes in base64. Both ends are wrapped.
 * The `initiator` begins with a request `open`, for media where only a request opens a session; the `acceptor` answers
 * it. Neither is seen by the user.
 */
export function asText(transport: Transport, role: "initiator" | "acceptor"): Transport {
  return new TextTransport(transport, role);
}

class TextTransport implements Transport {
  readonly unit = "messages";
  readonly label: string;
  readonly #inner: Transport;
  readonly #role: "initiator" | "acceptor";

  constructor(inner: Transport, role: "initiator" | "acceptor") {
    this.label = inner.label;
    this.#inner = inner;
    this.#role = role;
  }

  start(events: TransportEvents): void {
    this.#inner.start({
      onData: (chunk) => this.#onData(chunk, events),
      onDrain: () => events.onDrain(),
      onEnd: () => events.onEnd(),
      onClose: (error) => events.onClose(error),
    });
    if (this.#role === "initiator") this.#inner.write(['{"jsonrpc":"2.0","id":1,"method":"open"}']);
  }

  write(chunks: readonly Chunk[]): boolean {
    return this.#inner.write(chunks.map(encode));
  }

  pause(): void {
    this.#inner.pause();
  }

  resume(): void {
    this.#inner.resume();
  }

  close(reason?: string, cause?: CloseCause): void {
    this.#inner.close(reason, cause);
  }

  abort(error?: Parameters<Transport["abort"]>[0]): void {
    this.#inner.abort(error);
  }

  #onData(chunk: Chunk, events: TransportEvents): void {
    const text = typeof chunk === "string" ? chunk : new TextDecoder().decode(chunk);
    const message = JSON.parse(text) as Partial<Message>;
    if (message.method === "chunk" && message.params !== undefined) events.onData(decode(message.params));
    else if (message.method === "open") this.#inner.write(['{"jsonrpc":"2.0","id":1,"result":{}}']);
  }
}

interface Message {
  readonly method: string;
  readonly params: { readonly base64: string } | { readonly text: string };
}

function encode(chunk: Chunk): string {
  const params = typeof chunk === "string" ? { text: chunk } : { base64: btoa(binary(chunk)) };
  return JSON.stringify({ jsonrpc: "2.0", method: "chunk", params });
}

function decode(params: Message["params"]): Chunk {
  if ("text" in params) return params.text;
  const text = atob(params.base64);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

/** One character for each byte. In slices: a call takes only so many arguments. */
function binary(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192)
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return text;
}
