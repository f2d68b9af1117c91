// What the user sees and says. Colours are for terminals only.
import process from "node:process";
import { createInterface, type Interface } from "node:readline/promises";
import { styleText } from "node:util";
import { textOf, type PermissionOption, type SessionUpdate, type StopReason } from "@sluice/acp";

type Style = Parameters<typeof styleText>[0];

export class Screen {
  readonly #allow: boolean;
  #input: Interface | undefined;

  constructor(allow: boolean) {
    this.#allow = allow;
  }

  greet(agent: string): void {
    this.#line("dim", `${agent} is there. Ctrl-C ends a turn, Ctrl-D the conversation.`);
  }

  /** What the user types, line by line. */
  async *prompts(): AsyncGenerator<string, void, undefined> {
    for (;;) {
      const line = await this.#ask(styled("cyan", "> "));
      if (line === undefined) return;
      if (line.trim() !== "") yield line;
    }
  }

  show(update: SessionUpdate): void {
    const text = textOf(update);
    if (text !== "") return void process.stdout.write(text);
    if (update.sessionUpdate === "tool_call") this.#line("blue", `· ${update.title}`);
    if (update.sessionUpdate !== "tool_call_update") return;
    // What a call is about to do; once it is done the same is said again.
    for (const content of typeof update.status !== "string" ? (update.content ?? []) : [])
      if (content.type === "diff") this.#diff(content.oldText ?? "", content.newText);
    if (update.status === "failed") this.#line("red", "· failed");
  }

  end(stopReason: StopReason): void {
    if (stopReason !== "end_turn") this.#line("yellow", `[${stopReason}]`);
  }

  fail(error: unknown): void {
    this.#line("red", error instanceof Error ? error.message : String(error));
  }

  /** What the user chooses; undefined where the question was taken back, or nobody is there to choose. */
  async choose(
    title: string,
    options: readonly PermissionOption[],
    signal: AbortSignal,
  ): Promise<PermissionOption | undefined> {
    if (this.#allow) return options.find(({ kind }) => kind.startsWith("allow"));
    const list = options.map(({ name }, i) => `${i + 1} ${name}`).join(", ");
    const answer = await this.#ask(styled("yellow", `${title}? ${list}: `), signal);
    return options[Number(answer) - 1];
  }

  close(): void {
    this.#input?.close();
  }

  async #ask(question: string, signal?: AbortSignal): Promise<string | undefined> {
    this.#input ??= createInterface({ input: process.stdin, output: process.stdout });
    const input = this.#input;
    const ended = new Promise<undefined>((resolve) => input.once("close", () => resolve(undefined)));
    try {
      return await Promise.race([
        signal ? input.question(question, { signal }) : input.question(question),
        ended,
      ]);
    } catch {
      return undefined; // taken back, or there is no input any more
    }
  }

  #diff(before: string, after: string): void {
    const lines = { before: before.split("\n"), after: after.split("\n") };
    for (const [i, line] of lines.before.entries())
      if (line !== lines.after[i]) {
        this.#line("red", `  - ${line}`);
        this.#line("green", `  + ${lines.after[i] ?? ""}`);
      }
  }

  #line(style: Style, text: string): void {
    process.stdout.write(`${styled(style, text)}\n`);
  }
}

function styled(style: Style, text: string): string {
  return process.stdout.isTTY ? styleText(style, text) : text;
}
