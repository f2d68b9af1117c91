import type { StreamedResponse } from "@sluice/exec";
import type { Clock } from "./clock.ts";
import { headerOf } from "./headers.ts";
import type { McpLimits } from "./limits.ts";
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

/** What bounds a preview. */
export interface PreviewOptions {
  readonly limits: Pick<McpLimits, "preview" | "previewTime">;
  readonly clock: Clock;
}

/** The first bytes of a body, as text; what there is of it, where it breaks off or takes too long. Never rejects. */
export async function preview(
  { body }: StreamedResponse,
  { limits, clock }: PreviewOptions,
): Promise<string> {
  const decoder = new TextDecoder();
  const over = new AbortController();
  const reader = body.getReader();
  const cancel = (): Promise<void> => reader.cancel().catch(() => {}); // it is there to be looked at, whole or not
  void clock.pause(limits.previewTime, over.signal).then(cancel);
  let text = "";
  let left = limits.preview;
  try {
    while (left > 0) {
      const { done, value } = await reader.read();
      if (done) break;
      text += decoder.decode(value.subarray(0, left), { stream: true });
      left -= value.length;
    }
  } catch {
    // As above.
  }
  over.abort();
  await cancel();
  return text;
}

/** Says that the body is not wanted. Never rejects. */
export async function letGo(response: StreamedResponse): Promise<void> {
  await response.body.cancel().catch(() => {});
}
