// What a client over the mcp wire sends: one message a POST, in the order of writing. The next one leaves when the server
// has answered with headers, for then it has taken the message. A server that sends headers only with the answer would
// make requests wait for each other: once that is known they do not, and nothing waits longer than `patience`.
import { peek, type Envelope } from "./envelope.ts";

/** A message on its way out. */
export interface Outgoing {
  readonly text: string;
  readonly envelope: Exclude<Envelope, { kind: "invalid" }>;
}

/** Who sends what the outbox lets go. */
export interface McpOutboxOwner {
  /** Sends it. Settles when the server has taken it, or never will. Must not reject. */
  post(message: Outgoing): Promise<void>;
  /** Whether the next message may leave before the last one's headers are there. */
  pace(): "first" | "headers" | "answers";
  onDrain(): void;
  /** All was sent, and no more will be written. */
  onFlushed(): void;
}

export class McpOutbox {
  readonly #owner: McpOutboxOwner;
  readonly #highWater: number;
  readonly #patience: number;
  readonly #queue: Outgoing[] = [];
  #state: "open" | "full" | "ended" | "over" = "open";
  #sending: "idle" | "busy" = "idle";
  /** UTF-16 units that the server has not taken. */
  #waiting = 0;
  /** The last POST: what it was, and whether it is still out. */
  #last: { readonly kind: Envelope["kind"]; readonly taken: Promise<void> } | undefined;

  constructor(owner: McpOutboxOwner, highWater: number, patience: number) {
    this.#owner = owner;
    this.#highWater = highWater;
    this.#patience = patience;
  }

  get accepts(): boolean {
    return this.#state === "open" || this.#state === "full";
  }

  write(messages: readonly Outgoing[]): boolean {
    if (!this.accepts) return false;
    for (const message of messages) {
      this.#waiting += message.text.length;
      this.#queue.push(message);
    }
    this.#run();
    if (this.#waiting <= this.#highWater) return true;
    this.#state = "full";
    return false;
  }

  end(): void {
    if (!this.accepts) return;
    this.#state = "ended";
    this.#run();
  }

  /** Sends nothing more. */
  stop(): void {
    this.#state = "over";
    this.#queue.length = 0;
  }

  #run(): void {
    if (this.#sending === "busy") return;
    this.#sending = "busy";
    // Not in the turn of `write`.
    void Promise.resolve().then(() => this.#send());
  }

  async #send(): Promise<void> {
    for (let message = this.#queue.shift(); message !== undefined; message = this.#queue.shift()) {
      await this.#turn(message);
      if (this.#state === "over") return;
      const { text, envelope } = message;
      const taken = this.#owner.post(message).then(() => this.#taken(text.length));
      this.#last = { kind: envelope.kind, taken };
    }
    if (this.#state === "ended") {
      await this.#turn(undefined);
      this.#owner.onFlushed();
    }
    this.#sending = "idle";
    if (this.#queue.length > 0) this.#run();
  }

  /** Resolves when `next`, or the end, may leave. */
  async #turn(next: Outgoing | undefined): Promise<void> {
    const last = this.#last;
    if (last === undefined) return;
    const pace = this.#owner.pace();
    if (last.kind !== "request" || pace === "first") return last.taken;
    if (pace === "answers" && next?.envelope.kind === "request") return;
    await within(last.taken, this.#patience);
  }

  #taken(size: number): void {
    this.#waiting -= size;
    if (this.#state !== "full" || this.#waiting > this.#highWater / 2) return;
    this.#state = "open";
    this.#owner.onDrain();
  }
}

/** @throws TypeError where a chunk is not one JSON-RPC message. */
export function toOutgoing(chunk: Uint8Array | string): Outgoing {
  const text = typeof chunk === "string" ? chunk : new TextDecoder().decode(chunk);
  const envelope = peek(text);
  if (envelope.kind === "invalid")
    throw new TypeError(`this transport carries JSON-RPC: ${envelope.message}`);
  return { text, envelope };
}

/** Resolves with `promise`, or after `ms`. */
async function within(promise: Promise<void>, ms: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([promise, late]);
  clearTimeout(timer);
}
