// For tests: bytes as text.
export const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
export const utf8 = (string: string): Uint8Array => new TextEncoder().encode(string);

/** All there is, as text. Not by a Response, which makes any error into one of its own in browsers. */
export async function readAll(body: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let all = "";
  for await (const chunk of body) all += decoder.decode(chunk, { stream: true });
  return all + decoder.decode();
}
