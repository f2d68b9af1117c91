// A client's session with an MCP server: how it begins, what is heard outside of answers, and how it goes on when the
// server has forgotten it. What fails with 404 waits for a new session, which is opened once for all that fail so, with
// the params the old one was opened with; then it is sent once more, and once only.
import { Conversations } from "./conversations.ts";
import type { Conversation } from "./endpoint.ts";
import { Exchange, takeData, type ExchangeOptions, type ExchangeOwner, type Sent } from "./exchange.ts";
import { follow } from "./follow.ts";
import { isSuccess, statusError } from "./judge.ts";
import { McpError } from "./mcp-error.ts";
import { answers, isObject, type JsonRpcMessage } from "./message.ts";
import { letGo } from "./read-body.ts";
import { isRepeatable, repeated } from "./repeat.ts";

export interface McpSessionOwner extends ExchangeOwner {
  /** Ends all that the session does by itself. */
  readonly signal: AbortSignal;
  /** Another session has taken the place of the one that had expired. */
  onReopen(): void;
}

const INITIALIZED = "notifications/initialized";
const NONE: Conversation = { id: undefined, version: undefined };

export class McpSession {
  readonly #owner: McpSessionOwner;
  readonly #conversations: Conversations;
  /** The params with which it was opened. */
  #initialize: unknown;
  #listening: AbortController | undefined;
  #reopened = 0;

  constructor(owner: McpSessionOwner, first: Conversation) {
    this.#owner = owner;
    this.#conversations = new Conversations(first);
  }

  get current(): Conversation {
    return this.#conversations.current;
  }

  setVersion(version: string): void {
    this.#conversations.set({ ...this.current, version });
  }

  /** Sends a message. Rejects with an `McpError`, or the reason of the signal. */
  async send(message: JsonRpcMessage, signal: AbortSignal, options: ExchangeOptions): Promise<Sent> {
    if (message.method === "initialize") {
      this.#initialize = message.params;
      this.#listening?.abort();
      this.#conversations.set(NONE);
    }
    const conversation = this.current;
    try {
      return await this.#once(message, conversation, signal, options);
    } catch (error) {
      if (!this.#canReopen(error) || message.method === "initialize") throw error;
      const next = await within(this.#recover(conversation), signal);
      // The new session has been told so already.
      if (message.method === INITIALIZED) return { answered: Promise.resolve() };
      return this.#once(message, next, signal, options);
    }
  }

  /** Goes on with the response to `message`, which was sent earlier, behind the event `last`. */
  resume(message: JsonRpcMessage, last: string, signal: AbortSignal, options: ExchangeOptions): Sent {
    return new Exchange(this.#owner, message, this.current, signal, options).resume(last);
  }

  /** Ends it at the server. Rejects with an `McpError` where the server does not say that it has ended. */
  async terminate(): Promise<void> {
    const { current } = this;
    if (current.id === undefined) return;
    this.#listening?.abort();
    const response = await this.#owner.endpoint.delete(current);
    const { status } = response;
    // 405: this server does not let clients end sessions. 404: it has ended already.
    if (!isSuccess(status) && status !== 405 && status !== 404)
      throw await statusError(response, this.#owner);
    await letGo(response);
    if (this.current.id === current.id) this.#conversations.set({ ...current, id: undefined });
  }

  /** Sends it with this session, as often as that may be. */
  #once(
    message: JsonRpcMessage,
    conversation: Conversation,
    signal: AbortSignal,
    options: ExchangeOptions,
  ): Promise<Sent> {
    if (!isRepeatable(message))
      return new Exchange(this.#owner, message, conversation, signal, options).post();
    return this.#repeated(signal, async () => {
      const exchange =
        message.method === "initialize"
          ? this.#opening(message, signal, options)
          : new Exchange(this.#owner, message, conversation, signal, options);
      const sent = await exchange.post();
      await sent.answered;
      if (message.method === INITIALIZED) this.#listen(conversation);
      return sent;
    });
  }

  /** Its answer says the version, before whoever waits for it hears it. */
  #opening(message: JsonRpcMessage, signal: AbortSignal, options: ExchangeOptions): Exchange {
    const deliver = (came: JsonRpcMessage): void | Promise<void> => {
      const version = came.id === message.id ? versionOf(came) : undefined;
      if (version !== undefined) this.setVersion(version);
      return this.#owner.deliver(came);
    };
    const onSession = (id: string | undefined): void => this.#conversations.set({ ...NONE, id });
    return new Exchange({ ...this.#owner, deliver }, message, NONE, signal, { ...options, onSession });
  }

  #canReopen(error: unknown): boolean {
    return error instanceof McpError && error.kind === "expired" && this.#initialize !== undefined;
  }

  #recover(expired: Conversation): Promise<Conversation> {
    return this.#conversations.recover(expired, async () => {
      const { signal } = this.#owner;
      const id = `reopen-${++this.#reopened}`;
      const next = await this.#repeated(signal, () => this.#reopen(id));
      const told = { jsonrpc: "2.0", method: INITIALIZED };
      await this.#repeated(signal, () => new Exchange(this.#owner, told, next, signal).post());
      if (expired.version !== undefined && expired.version !== next.version)
        throw new McpError("expired", "the server has forgotten the session, and speaks another version now");
      this.#listen(next);
      this.#owner.onReopen();
      return next;
    });
  }

  async #reopen(id: string): Promise<Conversation> {
    let session: string | undefined;
    let version: string | undefined;
    const deliver = (came: JsonRpcMessage): void | Promise<void> => {
      if (!answers(came, id)) return this.#owner.deliver(came);
      version = versionOf(came);
    };
    const message = { jsonrpc: "2.0", id, method: "initialize", params: this.#initialize };
    const onSession = (named: string | undefined): void => void (session = named);
    const exchange = new Exchange({ ...this.#owner, deliver }, message, NONE, this.#owner.signal, {
      onSession,
    });
    const { answered } = await exchange.post();
    await answered;
    if (version === undefined)
      throw new McpError("expired", "the server has forgotten the session, and does not open another");
    return { id: session, version };
  }

  #repeated<T>(signal: AbortSignal, once: () => Promise<T>): Promise<T> {
    const { limits, clock } = this.#owner;
    return repeated(once, limits.repeats, clock, signal);
  }

  /** Opens the stream for what is no answer. There is one at a time. */
  #listen(conversation: Conversation): void {
    this.#listening?.abort();
    const listening = new AbortController();
    this.#listening = listening;
    const signal = AbortSignal.any([this.#owner.signal, listening.signal]);
    void this.#hear(conversation, signal).catch((error: unknown) => {
      if (!signal.aborted) this.#owner.report(error as Error);
    });
  }

  async #hear(conversation: Conversation, signal: AbortSignal): Promise<void> {
    const { endpoint, limits, clock, deliver, report } = this.#owner;
    try {
      const followed = await follow(
        { byGet: true },
        {
          limits,
          clock,
          signal,
          conversation,
          get: (last) => endpoint.get(last, conversation, signal),
          take: (data) => takeData(data, report, deliver),
          done: () => false,
          onId: () => {},
        },
      );
      if (followed === "lost")
        throw new McpError("lost", "the server is not heard outside of its answers any more");
    } catch (error) {
      if (!this.#canReopen(error)) throw error;
      await this.#recover(conversation);
    }
  }
}

/** The version of MCP that the answer to an `initialize` settles. */
function versionOf({ result }: JsonRpcMessage): string | undefined {
  const version = isObject(result) ? result["protocolVersion"] : undefined;
  return typeof version === "string" ? version : undefined;
}

/** As `promise`; rejects with the signal's reason where that aborts first. */
async function within<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let abort = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = (): void => reject(signal.reason as Error);
    signal.addEventListener("abort", abort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
