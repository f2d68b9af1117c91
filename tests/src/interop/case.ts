import assert from "node:assert/strict";
import process from "node:process";
import type { Bench, Cell } from "./bench.ts";

/** One thing an executor must do. */
export interface Case {
  readonly name: string;
  /** Why it does not apply, where it does not. */
  readonly without?: (cell: Cell) => string | undefined;
  run(bench: Bench): Promise<void>;
}

/** The path by which the executor's processes find their programs. */
export const ENV: Readonly<Record<string, string>> = { PATH: process.env["PATH"] ?? "" };

/** The arguments to run a line of shell. */
export function sh(line: string): { readonly argv: readonly string[]; readonly env: typeof ENV } {
  return { argv: ["sh", "-c", line], env: ENV };
}

export function text(stream: ReadableStream<Uint8Array>): Promise<string> {
  return new Response(stream).text();
}

export async function bytes(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** What an error of ours says: its kind and its words. */
export async function refusal(promise: Promise<unknown>): Promise<{ kind: string; message: string }> {
  let error: unknown;
  try {
    await promise;
  } catch (caught) {
    error = caught;
  }
  assert(error instanceof Error && "kind" in error, `an error with a kind, not ${String(error)}`);
  return { kind: String(error.kind), message: error.message };
}
