import { Bench, LISTENS, WIRES, type Cell, type Wire } from "./bench.ts";
import type { Case } from "./case.ts";
import { fileCases } from "./file-cases.ts";
import { httpCases } from "./http-cases.ts";
import { processCases } from "./process-cases.ts";
import { sessionCases } from "./session-cases.ts";
import type { Target } from "./target.ts";
import { Upstream } from "./upstream.ts";

export const cases: readonly Case[] = [...sessionCases, ...httpCases, ...processCases, ...fileCases];

export interface Result {
  readonly name: string;
  readonly cell: Cell;
  readonly status: "passed" | "failed" | "skipped";
  /** Why it failed or was skipped. */
  readonly reason?: string;
  readonly ms: number;
}

/** Every cell: how the target listens, and what we say. */
export const cells: readonly Cell[] = LISTENS.flatMap((listen) =>
  WIRES.map((wire: Wire): Cell => ({ listen, wire })),
);

/** Runs all cases in one cell, one after the other. Never rejects: what did not run has failed, with the reason. */
export async function runCell(
  target: Target,
  cell: Cell,
  onResult: (result: Result) => void = () => {},
): Promise<readonly Result[]> {
  const results: Result[] = [];
  const upstream = await Upstream.start();
  const serving = cell.listen === "ws" ? target.serve() : Promise.resolve(undefined);
  serving.catch(() => {}); // each case tells
  for (const one of cases) {
    const result = await runCase(one, cell, async () => {
      await new Bench({ target, cell, served: await serving, upstream }).run((bench) => one.run(bench));
    });
    results.push(result);
    onResult(result);
  }
  await serving.then(
    (served) => served?.stop(),
    () => {},
  );
  await upstream.close();
  return results;
}

async function runCase({ name, without }: Case, cell: Cell, run: () => Promise<void>): Promise<Result> {
  const reason = without?.(cell);
  if (reason !== undefined) return { name, cell, status: "skipped", reason, ms: 0 };
  const started = performance.now();
  const ms = (): number => Math.round(performance.now() - started);
  try {
    await run();
    return { name, cell, status: "passed", ms: ms() };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { name, cell, status: "failed", reason: why, ms: ms() };
  }
}
