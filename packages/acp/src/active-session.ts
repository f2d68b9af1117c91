// A session as its client has it: what the agent says in it, in order, with the end of each turn among it.
import { SessionError } from "@sluice/session";
import { field, Handled, type DynamicHandlerGuard } from "@sluice/session/builder";
import type { ConnectionToAgent } from "./connection-to-agent.ts";
import {
  CancelNotification,
  PromptRequest,
  type ContentBlock,
  type NewSessionResponse,
  type PromptResponse,
  type SessionConfigOption,
  type SessionModeState,
  SessionNotification,
  type SessionUpdate,
} from "./generated/v1.ts";
import { Inbox } from "./inbox.ts";
import { textOf, Turn } from "./turn.ts";

/** What comes of a session: an update, the end of a turn, or its failure. */
export type SessionMessage =
  | { readonly kind: "update"; readonly update: SessionUpdate; readonly notification: SessionNotification }
  | { readonly kind: "stop"; readonly response: PromptResponse }
  | { readonly kind: "failed"; readonly error: Error };

/** Messages that wait to be read. Beyond: the connection takes no more until some are. */
const WAITING = 1024;

/**
 * Holds its updates until they are read: by `readUpdate`, `readToString` or a `Turn`. Requests of the agent's that belong to it,
 * such as for permission, go to the handlers of the connection.
 */
export class ActiveSession implements AsyncDisposable {
  readonly sessionId: string;
  /** What the agent answered. */
  readonly response: NewSessionResponse;
  readonly connection: ConnectionToAgent;
  readonly #inbox: Inbox<SessionMessage> = new Inbox(WAITING);
  readonly #guard: DynamicHandlerGuard;

  constructor(connection: ConnectionToAgent, response: NewSessionResponse) {
    this.connection = connection;
    this.response = response;
    this.sessionId = response.sessionId;
    this.#guard = connection.addDynamicHandler((dispatch) => {
      if (dispatch.kind !== "notification" || dispatch.method !== SessionNotification.method)
        return Handled.no();
      if (field(dispatch.params, "sessionId") !== this.sessionId) return Handled.no();
      return this.#take(dispatch.params);
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
    this.connection.sendRequest(PromptRequest, params).onReceivingResult((outcome) => {
      if (outcome.ok) return this.#inbox.push({ kind: "stop", response: outcome.value });
      return this.#inbox.push({ kind: "failed", error: outcome.error });
    });
  }

  /** Asks the agent to end the turn; it ends with the stop reason `cancelled`. */
  cancel(): Promise<void> {
    return this.connection.sendNotification(CancelNotification, { sessionId: this.sessionId });
  }

  /** The next message. Rejects once the session is disposed of, or its connection over, and all has been read. */
  readUpdate(): Promise<SessionMessage> {
    return this.connection.letGo(this.#inbox.next());
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

  /** Hears nothing any more. The agent is not told: see `session/close`. */
  [Symbol.asyncDispose](): Promise<void> {
    this.connection.signal.removeEventListener("abort", this.#over);
    this.#guard[Symbol.dispose]();
    this.#inbox.close(new Error(`session ${JSON.stringify(this.sessionId)} has been disposed of`));
    return Promise.resolve();
  }

  #take(params: unknown): Promise<void> | undefined {
    const outcome = SessionNotification.params!["~standard"].validate(params);
    if (outcome instanceof Promise) return outcome.then((read) => this.#push(read));
    return this.#push(outcome);
  }

  #push(outcome: {
    readonly issues?: readonly { readonly message: string }[] | undefined;
    readonly value?: SessionNotification;
  }): Promise<void> | undefined {
    if (outcome.value === undefined)
      throw new Error(`session/update: ${outcome.issues?.[0]?.message ?? "malformed"}`);
    return this.#inbox.push({ kind: "update", update: outcome.value.update, notification: outcome.value });
  }

  readonly #over = (): void => {
    const reason: unknown = this.connection.signal.reason;
    this.#inbox.close(
      reason instanceof Error ? reason : new SessionError("closed", "us", "the connection is over"),
    );
  };
}
