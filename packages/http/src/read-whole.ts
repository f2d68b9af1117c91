/** The text of a body; undefined where it is above `most` bytes, of which no more is read then. Rejects as its reads do. */
export async function readWhole(
  body: ReadableStream<Uint8Array> | null,
  most: number,
): Promise<string | undefined> {
  const reader = body?.getReader();
  if (reader === undefined) return "";
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    size += value.length;
    if (size > most) {
      void reader.cancel().catch(() => {});
      return undefined;
    }
    text += decoder.decode(value, { stream: true });
  }
}
