// What the tests of features share: two sessions joined in memory, in either encoding, over bytes or whole messages.
import type { Encoding } from "@sluice/core";
import { memoryPair, type Transport } from "@sluice/transport";
import { connect, serve, type Session, type SessionOptions } from "./index.ts";

export interface PairOptions {
  readonly encoding?: Encoding;
  readonly unit?: "bytes" | "messages";
  readonly highWater?: number;
}

export interface Pair {
  readonly a: Session;
  readonly b: Session;
  readonly wire: readonly [Transport, Transport];
}

/** `a` greets. What handlers throw is told nobody. */
export async function pair(
  here: SessionOptions = {},
  there: SessionOptions = {},
  { encoding = "frames", ...medium }: PairOptions = {},
): Promise<Pair> {
  const wire = memoryPair(medium);
  const common: SessionOptions = { encodings: [encoding], onHandlerError: () => {} };
  const [a, b] = await Promise.all([
    connect(wire[0], { ...common, ...here }),
    serve(wire[1], { ...common, ...there }),
  ]);
  return { a, b, wire };
}

/** What a promise rejects with. */
// oxlint-disable-next-line typescript/no-explicit-any -- an error of any class
export function failure(promise: Promise<unknown>): Promise<any> {
  return promise.then(
    (value) => ({ unexpected: value }),
    (error: unknown) => error,
  );
}

/** A promise and what settles it. */
export class Gate<T = void> {
  open!: (value: T) => void;
  readonly opened: Promise<T> = new Promise((resolve) => (this.open = resolve));
}

export async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const got: T[] = [];
  for await (const item of stream) got.push(item);
  return got;
}

export function text(bytes: string): Uint8Array {
  return new TextEncoder().encode(bytes);
}
