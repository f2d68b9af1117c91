// A session as its client has it, or a proxy: what the agent says in it, in order, with the end of each turn among it.
import { SessionError } from "@sluice/session";
import { Handled, type DynamicHandlerGuard, type SentRequest } from "@sluice/session/builder";
import type { ConnectionToAgent } from "./connection-to-agent.ts";
import {
  CancelNotification,
  PromptRequest,
  type ContentBlock,
  type LoadSessionResponse,
  type NewSessionResponse,
  type PromptResponse,
  type ResumeSessionResponse,
  type SessionConfigOption,
  type SessionModeState,
  SessionNotification,
  type SessionUpdate,
} from "./generated/v1.ts";
import { Inbox } from "./inbox.ts";
import { peerOf } from "./peer-of.ts";
import { updateOf } from "./session-update.ts";
import { textOf, Turn } from "./turn.ts";

/** What comes of a session: an update, the end of a turn, or its failure. */
export type SessionMessage =
  | { readonly kind: "update"; readonly update: SessionUpdate; readonly notification: SessionNotification }
  | { readonly kind: "stop"; readonly response: PromptResponse }
  | { readonly kind: "failed"; readonly error: Error };

/** What an agent answers to a request that brings a session. */
export type SessionResponse = NewSessionResponse | LoadSessionResponse | ResumeSessionResponse;

export interface ReadOptions {
  readonly signal?: AbortSignal;
}

/** Messages that wait to be read. Beyond: the connection takes no more until some are. */
const WAITING = 1024;

/**
 * Holds its updates until they are read: by `readUpdate`, `readToString` or a `Turn`. Requests of the agent's that belong to it,
 * such as for permission, go to the handlers of the connection.
 */
export class ActiveSession implements AsyncDisposable {
  readonly sessionId: string;
  /** What the agent answered. */
  readonly response: SessionResponse;
  readonly connection: ConnectionToAgent;
  readonly #inbox: Inbox<SessionMessage> = new Inbox(WAITING);
  readonly #guard: DynamicHandlerGuard;
  readonly #release: () => void;

  /** `release`: what was set up for it goes with it. */
  constructor(
    connection: ConnectionToAgent,
    sessionId: string,
    response: SessionResponse,
    release: () => void = () => {},
  ) {
    this.connection = connection;
    this.sessionId = sessionId;
    this.response = response;
    this.#release = release;
    const agent = connection.role.styleOf(connection.agent);
    this.#guard = connection.addDynamicHandler((dispatch) => {
      const notification = updateOf(dispatch, agent, sessionId);
      if (notification === undefined) return Handled.no();
      return this.#inbox.push({ kind: "update", update: notification.update, notification });
    });
    connection.signal.addEventListener("abort", this.#over, { once: true });
  }

  get modes(): SessionModeState | null | undefined {
    return this.response.modes;
  }
  get configOptions(): SessionConfigOption[] | null | undefined {
    return this.response.configOptions;
  }
  get meta(): Record<string, unknown> | null | undefined {
    const { _meta: meta } = this.response;
    return meta;
  }

  /** Begins a turn: text, or blocks of content. What comes of it is read from the turn, or from the session. */
  prompt(prompt: string | readonly ContentBlock[]): Turn {
    this.sendPrompt(prompt);
    return new Turn(this);
  }

  /** As `prompt`, for who reads from the session. */
  sendPrompt(prompt: string | readonly ContentBlock[]): void {
    const blocks: ContentBlock[] =
      typeof prompt === "string" ? [{ type: "text", text: prompt }] : [...prompt];
    const params = { sessionId: this.sessionId, prompt: blocks };
    this.#ask(params).onReceivingResult((outcome) => {
      if (outcome.ok) return this.#inbox.push({ kind: "stop", response: outcome.value });
      return this.#inbox.push({ kind: "failed", error: outcome.error });
    });
  }

  /** Asks the agent to end the turn; it ends with the stop reason `cancelled`. */
  cancel(): Promise<void> {
    const { connection, sessionId } = this;
    return connection.sendNotificationTo(connection.agent, CancelNotification, { sessionId });
  }

  /**
   * The next message. Rejects once the session is disposed of, or its connection over, and all has been read; and with the
   * reason of `signal` once that aborts: then the message is the next reader's.
   */
  readUpdate({ signal }: ReadOptions = {}): Promise<SessionMessage> {
    return this.connection.letGo(this.#inbox.next(signal));
  }

  /** The text of the agent's message up to the end of the turn. Rejects with what the turn failed with. */
  async readToString(): Promise<string> {
    let text = "";
    for (;;) {
      const message = await this.readUpdate();
      if (message.kind === "failed") throw message.error;
      if (message.kind === "stop") return text;
      text += textOf(message.update);
    }
  }

  /**
   * In a proxy: leaves the session to the client, which gets the updates that have not been read, and those that come. Settles once
   * the former are handed over. @throws TypeError where this is no proxy.
   */
  async proxyRemainingMessages(): Promise<void> {
    const { connection } = this;
    const client = peerOf(connection.role, "Client");
    // What comes meanwhile lines up behind; nothing comes between the last of it and the end.
    for (let next = this.#inbox.take(); next !== undefined; next = this.#inbox.take())
      if (next.kind === "update")
        await connection.sendNotificationTo(client, SessionNotification, next.notification);
    this.#leave("has been left to the client");
  }

  /** Hears nothing any more. The agent is not told: see `session/close`. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#leave("has been disposed of");
    this.#release();
    return Promise.resolve();
  }

  #ask(params: PromptRequest): SentRequest<PromptResponse, ConnectionToAgent> {
    return this.connection.sendRequestTo(this.connection.agent, PromptRequest, params);
  }

  #leave(why: string): void {
    this.connection.signal.removeEventListener("abort", this.#over);
    this.#guard[Symbol.dispose]();
    this.#inbox.close(new Error(`session ${JSON.stringify(this.sessionId)} ${why}`));
  }

  readonly #over = (): void => {
    const reason: unknown = this.connection.signal.reason;
    this.#inbox.close(
      reason instanceof Error ? reason : new SessionError("closed", "us", "the connection is over"),
    );
  };
}
