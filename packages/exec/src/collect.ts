import type { BufferedResponse, StreamedResponse } from "./http-client.ts";
import { HttpError } from "./http-error.ts";

/** The whole body. @throws HttpError of kind `overflow` beyond `max` bytes; the body is let go of. */
export async function collect(response: StreamedResponse, max: number): Promise<BufferedResponse> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop cancels the body.
  for await (const chunk of response.body) {
    length += chunk.length;
    if (length > max) throw tooLarge(max);
    chunks.push(chunk);
  }
  const { status, statusText, headers, url } = response;
  return { status, statusText, headers, url, body: joined(chunks, length) };
}

export function tooLarge(max: number): HttpError {
  return new HttpError("overflow", `the response's body is larger than ${max} bytes`);
}

/** As one piece of memory; a single chunk stays where it is. */
export function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const [only] = chunks;
  if (only !== undefined && chunks.length === 1) return only;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
