// One cell of the matrix: a transport, a server on one runtime, a client on another. Its cases run twice, once with the
// near end at the client and once at the server.
import { remoteCases } from "@sluice/transport/compliance";
import type { KindName } from "./kinds.ts";
import type { CaseResult } from "./near.ts";
import { Program } from "./program.ts";
import type { Runtime } from "./runtimes.ts";

export interface Cell {
  readonly kind: KindName;
  readonly server: Runtime;
  readonly client: Runtime;
}

export const ENDS = ["client", "server"] as const;
export type End = (typeof ENDS)[number];

export interface CellCase extends CaseResult {
  /** Where the case ran; the other end did what it was told. */
  readonly near: End;
}

/** Cases in a cell. */
export const CASES: number = remoteCases.length * ENDS.length;

/** ms in which one end's cases have to be over. */
const BOUND = 300_000;

/** Runs a cell. Never rejects: what did not run has failed, with the reason. */
export async function runCell(cell: Cell, onCase: () => void): Promise<readonly CellCase[]> {
  const results: CellCase[] = [];
  for (const near of ENDS) results.push(...(await runEnd(cell, near, onCase)));
  return results;
}

async function runEnd({ kind, server, client }: Cell, near: End, onCase: () => void): Promise<CellCase[]> {
  const [own, far] = near === "client" ? [client, server] : [server, client];
  const program = new Program(own, "near.ts", ["--kind", kind, "--near", near, "--far", far], {
    group: true,
  });
  const timer = setTimeout(() => program.kill(), BOUND);
  const results: CellCase[] = [];
  let reason = "did not run";
  try {
    for (;;) {
      const said = await program.next<CaseResult | { readonly done: true }>();
      if ("done" in said) break;
      results.push({ ...said, near });
      onCase();
    }
    // It has let go of everything, so it ends by itself.
    await program.exited;
  } catch (error) {
    reason = (error as Error).message;
  } finally {
    clearTimeout(timer);
    program.kill();
  }
  for (const { name } of remoteCases.slice(results.length)) {
    results.push({ name, status: "failed", reason, near });
    onCase();
  }
  return results;
}
