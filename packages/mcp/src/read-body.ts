import type { StreamedResponse } from "@sluice/exec";
import { headerOf } from "./headers.ts";
import { McpError } from "./mcp-error.ts";

/**
 * The whole body as text. @throws McpError of kind `overflow` above `most` bytes: unread, where its `Content-Length` says
 * so already.
 */
export async function readBody(response: StreamedResponse, most: number): Promise<string> {
  const tooLarge = (): McpError =>
    new McpError("overflow", `a response has at most ${most} bytes here (limits.message)`, {
      status: response.status,
    });
  if (Number(headerOf(response, "content-length") ?? 0) > most) {
    await letGo(response);
    throw tooLarge();
  }
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  // Leaving the loop cancels the body.
  for await (const chunk of response.body) {
    size += chunk.length;
    if (size > most) throw tooLarge();
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** The first `most` bytes of a body, as text; what there is of it, where it breaks off. */
export async function preview(response: StreamedResponse, most: number): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let left = most;
  try {
    for await (const chunk of response.body) {
      text += decoder.decode(chunk.subarray(0, left), { stream: true });
      left -= chunk.length;
      if (left <= 0) break;
    }
  } catch {
    // It is there to be looked at, whole or not.
  }
  return text;
}

/** Says that the body is not wanted. Never rejects. */
export async function letGo(response: StreamedResponse): Promise<void> {
  await response.body.cancel().catch(() => {});
}
