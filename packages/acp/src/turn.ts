import type { ActiveSession } from "./active-session.ts";
import type { PromptResponse, SessionUpdate } from "./generated/v1.ts";

/**
 * A prompt that the agent works at: iterated, its updates up to the end of the turn. One turn of a session at a time is read.
 * It rejects, or throws, with what the prompt failed with.
 */
export class Turn implements AsyncIterable<SessionUpdate> {
  readonly #session: ActiveSession;
  #response: PromptResponse | undefined;

  constructor(session: ActiveSession) {
    this.#session = session;
  }

  /** What the agent answered in the end, with the stop reason; updates that have not been read are passed over. */
  async result(): Promise<PromptResponse> {
    const updates = this[Symbol.asyncIterator]();
    while ((await updates.next()).done !== true);
    return this.#response!;
  }

  /** The text of the agent's message. */
  async readToString(): Promise<string> {
    let text = "";
    for await (const update of this) text += textOf(update);
    return text;
  }

  /** Asks the agent to end it: it does so with the stop reason `cancelled`. */
  cancel(): Promise<void> {
    return this.#session.cancel();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<SessionUpdate, void, undefined> {
    while (this.#response === undefined) {
      const message = await this.#session.readUpdate();
      if (message.kind === "failed") throw message.error;
      if (message.kind === "stop") this.#response = message.response;
      else yield message.update;
    }
  }
}

/** The text that an update adds to the agent's message. */
export function textOf(update: SessionUpdate): string {
  if (update.sessionUpdate !== "agent_message_chunk") return "";
  const { content } = update as { readonly content?: { readonly type: string; readonly text?: unknown } };
  return content?.type === "text" && typeof content.text === "string" ? content.text : "";
}
