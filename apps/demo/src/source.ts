// What the file step streams: a file or URL of the user's, or a file the demo makes, of bytes that do not repeat.
import { createHash, type Hash } from "node:crypto";
import { mkdtemp, open, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { Bar } from "./screen.ts";

const MIB = 1024 * 1024;
const READ = 256 * 1024;

export interface Source {
  readonly name: string;
  /** MiB, where it is known beforehand. */
  readonly size: number | undefined;
  chunks(): AsyncIterable<Uint8Array>;
  dispose(): Promise<void>;
}

export async function openSource(
  given: string | undefined,
  size: number,
  bar: (total: number) => Bar,
): Promise<Source> {
  if (given === undefined) return makeFile(size, bar(size));
  return /^https?:/.test(given) ? openUrl(given) : openFile(given, async () => {});
}

/** Passes the chunks on, hashing and counting them. */
export async function* hashed(
  chunks: AsyncIterable<Uint8Array>,
  hash: Hash,
  count: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    hash.update(chunk);
    count(chunk.length);
    yield chunk;
  }
}

async function openUrl(url: string): Promise<Source> {
  const response = await fetch(url);
  if (!response.ok || response.body === null) throw new Error(`${url} answered ${response.status}`);
  const length = response.headers.get("content-length");
  const body = response.body as ReadableStream<Uint8Array> & AsyncIterable<Uint8Array>;
  return {
    name: url,
    size: length === null ? undefined : Number(length) / MIB,
    chunks: () => body,
    dispose: async () => {},
  };
}

async function openFile(path: string, dispose: () => Promise<void>): Promise<Source> {
  const { size } = await stat(path);
  return { name: basename(path), size: size / MIB, chunks: () => read(path), dispose };
}

async function* read(path: string): AsyncGenerator<Uint8Array> {
  const file = await open(path);
  try {
    for (;;) {
      const { bytesRead, buffer } = await file.read(new Uint8Array(READ), 0, READ);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

// Blocks of one hash after the other: nothing in the file repeats, and it is the same every time.
async function makeFile(size: number, bar: Bar): Promise<Source> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-demo-"));
  const path = join(folder, `${size} MiB of noise`);
  const file = await open(path, "w");
  const block = new Uint8Array(MIB);
  for (let done = 0; done < size; done++) {
    fill(block, done);
    await file.write(block.subarray(0, Math.min(1, size - done) * MIB));
    bar.update(done + 1);
  }
  await file.close();
  bar.stop();
  return openFile(path, () => rm(folder, { recursive: true, force: true }));
}

function fill(block: Uint8Array, seed: number): void {
  const noise = createHash("sha512").update(`sluice ${seed}`).digest();
  block.set(noise);
  // Each word from the one sixteen before it and the seed: fast, and different everywhere.
  const words = new Uint32Array(block.buffer);
  for (let i = noise.length / 4; i < words.length; i++)
    words[i] = Math.imul(words[i - 16]! ^ (words[i - 16]! >>> 15), 0x85ebca6b) + i + seed;
}
