// One message: its POST, and what comes back in the response to it, over as many responses as a stream takes.
import type { StreamedResponse } from "@sluice/exec";
import type { Clock } from "./clock.ts";
import { failed, type Conversation, type Endpoint } from "./endpoint.ts";
import { follow, type FollowStart } from "./follow.ts";
import { headerOf, mirroredHeaders } from "./headers.ts";
import { isSuccess, judgePost, type Judgement } from "./judge.ts";
import type { McpLimits } from "./limits.ts";
import { McpError } from "./mcp-error.ts";
import {
  answerKind,
  answers,
  parseMessages,
  requestId,
  type JsonRpcMessage,
  type RequestId,
} from "./message.ts";

/** What an exchange needs of its client. */
export interface ExchangeOwner {
  readonly endpoint: Endpoint;
  readonly limits: McpLimits;
  readonly clock: Clock;
  /** Takes what came; must not throw. The next message comes when it has resolved. */
  deliver(message: JsonRpcMessage): void | Promise<void>;
  /** Told of what went wrong where nobody waits. */
  report(error: Error): void;
}

export interface ExchangeOptions {
  /** Headers of this message. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** The id to go on from has changed. */
  readonly onId?: ((id: string) => void) | undefined;
  /** The server has taken it, and names this session, or none; told before anything is delivered. */
  readonly onSession?: ((id: string | undefined) => void) | undefined;
}

/** What the server has taken. In an object, so that it can be waited for by itself. */
export interface Sent {
  /**
   * Resolves when a request has its answer, at once for other messages. Rejects with an `McpError` where there will be
   * none, or with the reason of the signal.
   */
  readonly answered: Promise<void>;
}

export class Exchange {
  readonly #owner: ExchangeOwner;
  readonly #message: JsonRpcMessage;
  readonly #id: RequestId | undefined;
  readonly #conversation: Conversation;
  readonly #options: ExchangeOptions;
  readonly #signal: AbortSignal;
  /** Lets go of the stream when it has done its work. */
  readonly #enough = new AbortController();
  #state: "waiting" | "answered" = "waiting";
  /** `later`: the request was sent by somebody else, and had another id. */
  #begun: "here" | "later" = "here";
  #onAnswer: () => void = () => {};

  constructor(
    owner: ExchangeOwner,
    message: JsonRpcMessage,
    conversation: Conversation,
    signal: AbortSignal,
    options: ExchangeOptions = {},
  ) {
    this.#owner = owner;
    this.#message = message;
    this.#id = requestId(message);
    this.#conversation = conversation;
    this.#options = options;
    this.#signal = AbortSignal.any([signal, this.#enough.signal]);
  }

  /** Sends it. Rejects with an `McpError`, or the reason of the signal. */
  async post(): Promise<Sent> {
    const { endpoint } = this.#owner;
    const { headers, onSession } = this.#options;
    const own = { ...headers, ...mirroredHeaders(this.#message) };
    const text = JSON.stringify(this.#message);
    const response = await endpoint.post(text, own, this.#conversation, this.#signal);
    if (isSuccess(response.status)) onSession?.(headerOf(response, "mcp-session-id"));
    const judged = await this.#judged(response);
    if (judged.kind === "events") return this.#followed({ response: judged.response, byGet: false });
    if (judged.kind === "messages") {
      await this.#takeAll(judged.messages);
      if (this.#state === "waiting") throw new McpError("content", "the response holds no answer");
    }
    return { answered: Promise.resolve() };
  }

  /** Goes on behind the event `last` of a response whose beginning came to somebody else. */
  resume(last: string): Sent {
    this.#begun = "later";
    return this.#followed({ last, byGet: false });
  }

  async #judged(response: StreamedResponse): Promise<Judgement> {
    try {
      return await judgePost(response, this.#message, this.#conversation, this.#owner);
    } catch (error) {
      this.#signal.throwIfAborted();
      throw error;
    }
  }

  #followed(start: FollowStart): Sent {
    const { clock, limits } = this.#owner;
    const answered = new Promise<void>((resolve, reject) => {
      this.#onAnswer = (): void => {
        resolve();
        // MCP: the server should end the stream now. One that does not is let go of.
        void clock.pause(limits.grace, this.#signal).then(() => this.#enough.abort());
      };
      this.#follow(start).then(resolve, (cause: unknown) => {
        reject(this.#signal.aborted && cause === this.#signal.reason ? cause : failed(cause));
      });
    });
    answered.catch(() => {}); // told to whoever looks at it
    return { answered };
  }

  async #follow(start: FollowStart): Promise<void> {
    const { endpoint, limits, clock, report } = this.#owner;
    const signal = this.#signal;
    const conversation = this.#conversation;
    try {
      const followed = await follow(start, {
        limits,
        clock,
        signal,
        conversation,
        get: (last): Promise<StreamedResponse> => endpoint.get(last, conversation, signal),
        take: (data) => takeData(data, report, (message) => this.#take(message)),
        done: () => this.#state === "answered",
        onId: (id) => this.#options.onId?.(id),
      });
      if (this.#state === "answered") return;
      signal.throwIfAborted();
      const how = followed === "ended" ? "ended" : "was cut off";
      throw new McpError("lost", `the response ${how} before the answer, and cannot be resumed`);
    } finally {
      this.#enough.abort();
    }
  }

  async #takeAll(messages: readonly JsonRpcMessage[]): Promise<void> {
    for (const message of messages) await this.#take(message);
  }

  async #take(message: JsonRpcMessage): Promise<void> {
    const answer = this.#asAnswer(message);
    if (answer === undefined) return this.#owner.deliver(message);
    this.#state = "answered";
    await this.#owner.deliver(answer);
    this.#onAnswer();
  }

  /** The answer to this request; one whose server could not read the id is known by its stream. */
  #asAnswer(message: JsonRpcMessage): JsonRpcMessage | undefined {
    const id = this.#id;
    if (id === undefined || this.#state === "answered") return undefined;
    if (answers(message, id)) return message;
    if (message.method !== undefined || answerKind(message) === undefined) return undefined;
    return message.id === null || this.#begun === "later" ? { ...message, id } : undefined;
  }
}

/** Takes the messages of an event. One that holds none is reported, and the stream goes on. */
export async function takeData(
  data: string,
  report: (error: Error) => void,
  take: (message: JsonRpcMessage) => void | Promise<void>,
): Promise<void> {
  const messages = parseMessages(data);
  if (messages === undefined) return report(new McpError("content", "an event holds no JSON-RPC message"));
  for (const message of messages) await take(message);
}
