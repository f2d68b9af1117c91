// Between a stream's chunks and what its half carries.
import { StreamError, StreamCode } from "@sluice/streams";

const encoder = new TextEncoder();

/**
 * The bytes a half sends for a chunk.
 * @throws StreamError that says what to write, where the chunk is not of the stream's kind.
 */
export function encodeChunk(of: "bytes" | "items", chunk: unknown): Uint8Array {
  if (of === "items") return encodeItem(chunk);
  if (chunk instanceof Uint8Array) return chunk.length > 0 ? chunk : empty(chunk);
  if (ArrayBuffer.isView(chunk)) return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk);
  const hint = "send text through a TextEncoderStream, and JSON values as items(stream)";
  throw new StreamError(
    StreamCode.internal,
    "us",
    `a byte stream carries Uint8Arrays, not ${nameOf(chunk)}: ${hint}`,
  );
}

// An empty chunk is nothing to send. One that had bytes once must not become one in silence.
function empty(chunk: Uint8Array): Uint8Array {
  if (!(chunk.buffer as ArrayBuffer).detached) return chunk;
  throw new StreamError(StreamCode.internal, "us", "the chunk's memory was transferred away: write a copy");
}

function encodeItem(item: unknown): Uint8Array {
  if (item instanceof Uint8Array)
    throw new StreamError(StreamCode.internal, "us", "an item is a JSON value, not bytes: use bytes(stream)");
  let text: string | undefined;
  try {
    text = JSON.stringify(item);
  } catch (cause) {
    throw new StreamError(StreamCode.internal, "us", "an item JSON cannot write", { cause });
  }
  if (text === undefined)
    throw new StreamError(StreamCode.internal, "us", `an item is a JSON value, not ${nameOf(item)}`);
  return encoder.encode(text);
}

function nameOf(value: unknown): string {
  return value === null ? "null" : typeof value;
}
