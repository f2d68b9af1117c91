// What a command of the agent's can do in its turn.
import {
  CreateTerminalRequest,
  ReadTextFileRequest,
  ReleaseTerminalRequest,
  RequestPermissionRequest,
  SessionNotification,
  TerminalOutputRequest,
  WaitForTerminalExitRequest,
  WriteTextFileRequest,
  type ClientCapabilities,
  type SessionUpdate,
  type ToolCallContent,
  type ToolKind,
} from "@sluice/acp";
import type { ConnectionTo } from "@sluice/session/builder";

export interface TurnOptions {
  readonly cx: ConnectionTo;
  readonly sessionId: string;
  readonly cwd: string;
  readonly client: ClientCapabilities;
  readonly signal: AbortSignal;
}

/** The turn was cancelled, or what it asked for was. */
export class TurnCancelled extends Error {}

/** A word the agent knows. */
export interface Command {
  readonly name: string;
  readonly hint: string;
  readonly description: string;
  run(turn: Turn, words: readonly string[]): Promise<void>;
}

/** How a program ended, and the end of what it printed. */
export interface Ran {
  readonly exitCode: number | null;
  readonly output: string;
}

export class Turn {
  readonly #options: TurnOptions;
  #calls = 0;

  constructor(options: TurnOptions) {
    this.#options = options;
  }

  get signal(): AbortSignal {
    return this.#options.signal;
  }

  /** Adds to the agent's message. */
  say(text: string): Promise<void> {
    return this.#update({ sessionUpdate: "agent_message_chunk", content: { type: "text", text } });
  }

  /** Tells the client what can be asked for. */
  commands(commands: readonly Command[]): Promise<void> {
    return this.#update({
      sessionUpdate: "available_commands_update",
      availableCommands: commands.map(({ name, description, hint }) => ({
        name,
        description,
        input: { hint },
      })),
    });
  }

  /** Does `work` as a tool call that the client shows, with what came of it. */
  async tool<T>(
    title: string,
    kind: ToolKind,
    work: (call: string) => Promise<{ readonly value: T; readonly content: ToolCallContent[] }>,
  ): Promise<T> {
    const toolCallId = `call-${++this.#calls}`;
    await this.#update({ sessionUpdate: "tool_call", toolCallId, title, kind, status: "in_progress" });
    try {
      const { value, content } = await work(toolCallId);
      await this.#update({ sessionUpdate: "tool_call_update", toolCallId, status: "completed", content });
      return value;
    } catch (error) {
      await this.#update({ sessionUpdate: "tool_call_update", toolCallId, status: "failed" });
      throw error;
    }
  }

  /** Shows what a tool call is about to do. */
  show(toolCallId: string, content: ToolCallContent[]): Promise<void> {
    return this.#update({ sessionUpdate: "tool_call_update", toolCallId, content });
  }

  /** Asks the user. @throws TurnCancelled where the user says no, or ends the turn. */
  async permit(toolCallId: string, title: string): Promise<void> {
    const { cx, sessionId } = this.#options;
    const options = [
      { optionId: "allow", name: "Allow", kind: "allow_once" as const },
      { optionId: "reject", name: "Reject", kind: "reject_once" as const },
    ];
    const asked = cx.sendRequest(RequestPermissionRequest, {
      sessionId,
      options,
      toolCall: { toolCallId, title },
    });
    const { outcome } = await asked.cancelWith(this.signal).result();
    if (outcome.outcome !== "selected") throw new TurnCancelled("the turn was cancelled");
    if (outcome.optionId !== "allow") throw new Error("the user said no");
  }

  async readFile(path: string): Promise<string> {
    const { cx, sessionId, client } = this.#options;
    if (client.fs?.readTextFile !== true) throw new Error("this client does not let agents read files");
    const { content } = await cx
      .sendRequest(ReadTextFileRequest, { sessionId, path: this.absolute(path) })
      .result();
    return content;
  }

  async writeFile(path: string, content: string): Promise<void> {
    const { cx, sessionId, client } = this.#options;
    if (client.fs?.writeTextFile !== true) throw new Error("this client does not let agents write files");
    await cx.sendRequest(WriteTextFileRequest, { sessionId, path: this.absolute(path), content }).result();
  }

  /** Runs a program in a terminal of the client's, which `started` is told of. */
  async run(command: string, args: string[], started: (terminalId: string) => Promise<void>): Promise<Ran> {
    const { cx, sessionId, client, cwd, signal } = this.#options;
    if (client.terminal !== true) throw new Error("this client has no terminals");
    const created = cx.sendRequest(CreateTerminalRequest, {
      sessionId,
      command,
      args,
      cwd,
      outputByteLimit: 16_384,
    });
    const { terminalId } = await created.result();
    const terminal = { sessionId, terminalId };
    try {
      await started(terminalId);
      const exit = cx.sendRequest(WaitForTerminalExitRequest, terminal).cancelWith(signal);
      const { exitCode = null } = await exit.result();
      const { output } = await cx.sendRequest(TerminalOutputRequest, terminal).result();
      return { exitCode, output };
    } finally {
      await cx.sendRequest(ReleaseTerminalRequest, terminal).result(); // ends what still runs in it
    }
  }

  absolute(path: string): string {
    return path.startsWith("/") || /^[A-Za-z]:/.test(path) ? path : `${this.#options.cwd}/${path}`;
  }

  async #update(update: SessionUpdate): Promise<void> {
    const { cx, sessionId } = this.#options;
    await cx.sendNotification(SessionNotification, { sessionId, update });
  }
}
