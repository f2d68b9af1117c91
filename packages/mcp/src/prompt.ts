import { ErrorCode } from "@sluice/codec";
import { RpcError } from "@sluice/session";
import { textContent, type Content } from "./content.ts";
import { isObject } from "./message.ts";
import type { RequestContext } from "./request-context.ts";

export interface PromptArgument {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly required?: boolean;
}

export interface PromptMessage {
  readonly role: "user" | "assistant";
  readonly content: Content;
}

/** A text of the user's, messages, or the whole result. */
export type PromptOutput =
  | string
  | readonly PromptMessage[]
  | { readonly description?: string; readonly messages: readonly PromptMessage[] };

/** What a client is told of a prompt, and what makes it; `mcpServer` has them by their names. */
export interface Prompt {
  readonly title?: string;
  readonly description?: string;
  readonly arguments?: readonly PromptArgument[];
  readonly icons?: readonly Readonly<Record<string, unknown>>[];
  readonly _meta?: Readonly<Record<string, unknown>>;
  get(
    args: Readonly<Record<string, string>>,
    context: RequestContext,
  ): PromptOutput | PromiseLike<PromptOutput>;
}

/** @throws RpcError -32602 where an argument that is required is missing, or one is no text. */
export async function getPrompt(prompt: Prompt, args: unknown, context: RequestContext): Promise<object> {
  const given = isObject(args) ? args : {};
  const texts = Object.entries(given).filter((one): one is [string, string] => typeof one[1] === "string");
  if (texts.length < Object.keys(given).length)
    throw new RpcError(ErrorCode.invalidParams, "the arguments of a prompt are texts");
  for (const { name, required } of prompt.arguments ?? [])
    if (required === true && !Object.hasOwn(given, name))
      throw new RpcError(ErrorCode.invalidParams, `the argument ${name} is required`);
  const output = await prompt.get(Object.fromEntries(texts), context);
  if (typeof output === "string") return { messages: [{ role: "user", content: textContent(output) }] };
  return "messages" in output ? output : { messages: output };
}

/** What `prompts/list` says of it. */
export function promptListing(name: string, { get: _, ...rest }: Prompt): object {
  return { name, ...rest };
}
