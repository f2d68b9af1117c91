// For the tests of this package: bytes in, whatever the reader makes of them out.
import { ByteQueue } from "./byte-queue.ts";
import { DecodeError } from "./error.ts";

const encoder = new TextEncoder();

export type Part = string | Uint8Array | readonly number[];

/** Strings as UTF-8, numbers as bytes, one after the other. */
export function bytes(...parts: readonly Part[]): Uint8Array {
  return join(parts.map((part) => (typeof part === "string" ? encoder.encode(part) : Uint8Array.from(part))));
}

export function join(chunks: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

/** Cuts into chunks of these sizes, over and over, until nothing is left. */
export function cut(whole: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0, i = 0; at < whole.length; i++) {
    const size = Math.max(1, sizes[i % Math.max(1, sizes.length)] ?? whole.length);
    chunks.push(whole.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

/** Every way to cut in two, in one, and into single bytes. */
export function everySplit(whole: Uint8Array): Uint8Array[][] {
  const inTwo = Array.from({ length: whole.length }, (_, at) => [whole.subarray(0, at), whole.subarray(at)]);
  return [...inTwo, [whole], cut(whole, [1])];
}

interface Reader<T> {
  read(input: ByteQueue): T | undefined;
}

/**
 * What a reader makes of the chunks, up to the first fatal error, and the most it left in the queue between two chunks.
 * Throws where a reader would go on for ever.
 */
export function feed<T>(reader: Reader<T>, chunks: Iterable<Uint8Array>): { read: T[]; held: number } {
  const input = new ByteQueue();
  const read: T[] = [];
  let held = 0;
  for (const chunk of chunks) {
    input.push(chunk);
    for (let turns = input.length + 2; ; turns--) {
      if (turns === 0) throw new Error("the reader does not come to an end");
      const value = reader.read(input);
      if (value === undefined) break;
      read.push(value);
      if (value instanceof DecodeError && value.fatal) return { read, held };
    }
    held = Math.max(held, input.length);
  }
  return { read, held };
}

/** Errors as `rule code`, with `fatal` where they are; everything else as it is. */
export function brief(value: unknown): unknown {
  if (!(value instanceof DecodeError)) return value;
  return `${value.rule} ${value.code}${value.fatal ? " fatal" : ""}`;
}

/** `feed`, with errors as `brief` writes them. */
export function readAll(reader: Reader<unknown>, chunks: Iterable<Uint8Array>): unknown[] {
  return feed(reader, chunks).read.map(brief);
}
