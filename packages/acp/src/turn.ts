import type { ActiveSession, ReadOptions } from "./active-session.ts";
import type { PromptResponse, SessionUpdate } from "./generated/v1.ts";

/**
 * A prompt that the agent works at: iterated, its updates up to the end of the turn. One turn of a session at a time is read.
 * It rejects, or throws, with what the prompt failed with.
 */
export class Turn implements AsyncIterable<SessionUpdate> {
  readonly #session: ActiveSession;
  #response: PromptResponse | undefined;
  #failure: Error | undefined;

  constructor(session: ActiveSession) {
    this.#session = session;
  }

  /** What the agent answered in the end, with the stop reason; updates that have not been read are passed over. */
  async result(): Promise<PromptResponse> {
    while ((await this.read()) !== undefined);
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
    for (let update = await this.read(); update !== undefined; update = await this.read()) yield update;
  }

  /** The next update; undefined once the turn has ended. Given up by `signal`, what it would have read is still to be read. */
  async read(options?: ReadOptions): Promise<SessionUpdate | undefined> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#response !== undefined) return undefined;
    const message = await this.#session.readUpdate(options);
    if (message.kind === "update") return message.update;
    if (message.kind === "stop") {
      this.#response = message.response;
      return undefined;
    }
    this.#failure = message.error;
    throw message.error;
  }
}

/** The text that an update adds to the agent's message. */
export function textOf(update: SessionUpdate): string {
  if (update.sessionUpdate !== "agent_message_chunk") return "";
  const { content } = update as { readonly content?: { readonly type: string; readonly text?: unknown } };
  return content?.type === "text" && typeof content.text === "string" ? content.text : "";
}
