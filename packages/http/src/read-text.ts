import type { HttpLimits } from "./limits.ts";
import { readWithin } from "./read-within.ts";
import { refusal } from "./refusal.ts";

/**
 * The whole of a request's body, which is one message. A `Response` where it is refused: 413 above `limits.message`,
 * 408 where it stands still for `limits.bodyTime`, 400 where it is cut off or not UTF-8. What is left is not read then.
 */
export async function readText(request: Request, limits: HttpLimits): Promise<string | Response> {
  const tooLarge = (): Response =>
    refusal(413, `a message has at most ${limits.message} bytes here (limits.message)`);
  if (Number(request.headers.get("content-length") ?? 0) > limits.message) {
    void request.body?.cancel().catch(() => {});
    return tooLarge();
  }
  const reader = request.body?.getReader();
  if (reader === undefined) return "";
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  let size = 0;
  const refuse = (response: Response): Response => {
    void reader.cancel().catch(() => {});
    return response;
  };
  try {
    for (;;) {
      const read = await readWithin(reader, limits.bodyTime);
      if (read === "late")
        return refuse(refusal(408, `the body brought nothing for ${limits.bodyTime} ms (limits.bodyTime)`));
      if (read.done) return text + decoder.decode();
      size += read.value.length;
      if (size > limits.message) return refuse(tooLarge());
      text += decoder.decode(read.value, { stream: true });
    }
  } catch (cause) {
    // The decoder throws a TypeError; so may a body that is cut off, whose sender does not see the answer.
    const message = cause instanceof TypeError ? "a message is UTF-8" : "the body was cut off";
    return refuse(refusal(400, message, { code: -32700 }));
  }
}
