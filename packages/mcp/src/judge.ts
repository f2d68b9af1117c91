// What a response to a POST means, decided in this order: an unknown session, a missing or too weak token, a message
// that was taken, any other failure (which may bring a JSON-RPC error of its own), an event stream, a JSON body.
import type { StreamedResponse } from "@sluice/exec";
import { challengesOf, insufficientScope } from "./challenge.ts";
import { failed, type Conversation } from "./endpoint.ts";
import { mediaType } from "./headers.ts";
import type { McpLimits } from "./limits.ts";
import { McpError } from "./mcp-error.ts";
import { answerKind, parseMessages, requestId, type JsonRpcMessage } from "./message.ts";
import { letGo, preview, readBody, type PreviewOptions } from "./read-body.ts";
import { isRepeatable, isTransientStatus } from "./repeat.ts";

export type Judgement =
  | { readonly kind: "taken" }
  | { readonly kind: "events"; readonly response: StreamedResponse }
  | { readonly kind: "messages"; readonly messages: readonly JsonRpcMessage[] };

/** What judging is bounded by. */
export interface JudgeOptions extends PreviewOptions {
  readonly limits: McpLimits;
}

/** @throws McpError for what is no success. The body has been read or let go of, but for `events`. */
export async function judgePost(
  response: StreamedResponse,
  message: JsonRpcMessage,
  conversation: Conversation,
  options: JudgeOptions,
): Promise<Judgement> {
  const { status } = response;
  const denied = await judgeDenial(response, conversation);
  if (denied !== undefined) throw denied;
  const asked = requestId(message) !== undefined;
  if (status === 202 || status === 204 || (!asked && isSuccess(status))) {
    await letGo(response);
    if (!asked) return { kind: "taken" };
    throw new McpError("content", `status ${status} is no answer to a request`, { status });
  }
  if (!isSuccess(status)) return judgeFailure(response, message, options);
  const type = mediaType(response);
  if (type === "text/event-stream") return { kind: "events", response };
  if (type !== "application/json") {
    const body = await preview(response, options);
    const text = "the response is neither JSON nor an event stream: is this the URL of an MCP server?";
    throw new McpError("content", text, { status, body });
  }
  const messages = parseMessages(await read(response, options));
  if (messages === undefined)
    throw new McpError("content", "the response holds no JSON-RPC message", { status });
  return { kind: "messages", messages };
}

/** 404, 401 and 403 as they are to any request of a session. */
export async function judgeDenial(
  response: StreamedResponse,
  { id }: Conversation,
): Promise<McpError | undefined> {
  const { status } = response;
  if (status === 404 && id !== undefined) {
    await letGo(response);
    return new McpError("expired", "the server does not know the session any more", { status });
  }
  if (status !== 401 && status !== 403) return undefined;
  const challenges = challengesOf(response.headers);
  if (status === 401 && challenges.length > 0) {
    await letGo(response);
    return new McpError("unauthorized", "the server asks for a token: give one by the option token", {
      status,
      challenges,
      scope: challenges.find(({ scheme }) => scheme === "bearer")?.parameters.get("scope"),
    });
  }
  const weak = insufficientScope(challenges);
  if (status === 401 || weak === undefined) return undefined;
  await letGo(response);
  const scope = weak.parameters.get("scope");
  return new McpError("scope", "the token has too little scope: get one for what `scope` says", {
    status,
    challenges,
    scope,
  });
}

/** Any other status that is no success. */
export async function statusError(response: StreamedResponse, options: JudgeOptions): Promise<McpError> {
  const { status } = response;
  return withStatus(status, await preview(response, options));
}

export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

async function judgeFailure(
  response: StreamedResponse,
  message: JsonRpcMessage,
  options: JudgeOptions,
): Promise<Judgement> {
  const { status } = response;
  const again = isTransientStatus(status) && isRepeatable(message);
  if (again || mediaType(response) !== "application/json") throw await statusError(response, options);
  const text = await read(response, options);
  const messages = parseMessages(text);
  const [only] = messages ?? [];
  const asked = requestId(message);
  if (messages?.length === 1 && asked !== undefined && answerKind(only!) === "error")
    return { kind: "messages", messages: [{ ...only, id: asked }] };
  throw withStatus(status, text.slice(0, options.limits.preview));
}

async function read(response: StreamedResponse, options: JudgeOptions): Promise<string> {
  try {
    return await readBody(response, options.limits.message);
  } catch (cause) {
    throw failed(cause);
  }
}

function withStatus(status: number, body: string): McpError {
  const mayHaveRun = status >= 500 || isSuccess(status);
  return new McpError("status", `the server answered with status ${status}: ${advice(status)}`, {
    status,
    body,
    mayHaveRun,
  });
}

function advice(status: number): string {
  if (status === 401 || status === 403) return "give a token or headers";
  if (status === 404 || status === 405) return "is this the URL of an MCP server?";
  if (status >= 300 && status < 400) return "the redirect leads nowhere";
  if (status === 408 || status === 429 || status >= 500) return "try again later";
  return "it did not take the message";
}
