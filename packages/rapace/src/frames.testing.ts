// Frames as a test writes and reads them.
import { FLAG, type Frame } from "./frame.ts";
import { FrameError, FrameReader } from "./frame-reader.ts";
import { FrameWriter, type FrameHead } from "./frame-writer.ts";

export function hex(text: string): Uint8Array {
  const digits = text.replaceAll(/\s/g, "");
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) =>
    Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16),
  );
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function join(chunks: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
export const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);

/** The bytes of one frame. */
export function frameBytes(
  head: Partial<FrameHead>,
  payload: Uint8Array,
  unit: "bytes" | "messages" = "bytes",
): Uint8Array {
  const writer = new FrameWriter(unit);
  writer.frame({ channel: 0, method: 0, flags: 0, ...head }, payload);
  return join(writer.take());
}

/** All frames in the bytes. @throws what is none */
export function framesIn(bytes: Uint8Array): Frame[] {
  const reader = new FrameReader("bytes", 2 ** 24);
  reader.push(bytes);
  const frames: Frame[] = [];
  for (let frame = reader.next(); frame !== undefined; frame = reader.next()) {
    if (frame instanceof FrameError) throw frame;
    frames.push(frame);
  }
  if (reader.partial) throw new Error("a frame is cut");
  return frames;
}

/** A frame in short. */
export function brief({ channel, method, flags, payload }: Frame): string {
  const names = Object.entries(FLAG).filter(([, bit]) => (flags & bit) !== 0);
  return `${channel}/${method} ${names.map(([name]) => name).join("|")} ${toHex(payload)}`.trim();
}
