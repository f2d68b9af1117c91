// npm run test:transports -- [--transport ws|http|"ws jsonrpc"|…] [--server node|deno|bun] [--client node|deno|bun]
//                            [--json]   one JSON object on the standard output, and nothing else
//
// Every transport between every two runtimes, in real processes, held to the compliance kit's remote cases.
import { availableParallelism } from "node:os";
import process from "node:process";
import { parseArgs } from "node:util";
import { closingLine, type Counts } from "../../../scripts/report.ts";
import { Progress } from "../progress.ts";
import { paint } from "../style.ts";
import { readArguments } from "../usage.ts";
import { CASES, runCell, type Cell } from "./cell.ts";
import { kindsOf } from "./kinds.ts";
import { leaveNoneBehind } from "./program.ts";
import { absence, runtimeOf, RUNTIMES, type Runtime } from "./runtimes.ts";
import { failures, omissions, table, type CellResult } from "./table.ts";

const { cells, json } = readArguments(() => {
  const { values } = parseArgs({
    options: {
      transport: { type: "string" },
      server: { type: "string" },
      client: { type: "string" },
      json: { type: "boolean", default: false },
    },
  });
  const chosen = (option: string, name: string | undefined): readonly Runtime[] =>
    name === undefined ? RUNTIMES : [runtimeOf(option, name)];
  const servers = chosen("--server", values.server);
  const clients = chosen("--client", values.client);
  const cells: readonly Cell[] = kindsOf(values.transport).flatMap((kind) =>
    servers.flatMap((server) => clients.map((client) => ({ kind, server, client }))),
  );
  return { cells, json: values.json };
});

leaveNoneBehind();
const started = performance.now();
const progress = new Progress(cells.length * CASES, "cases");
const results: CellResult[] = [];
let next = 0;

/** Takes one cell after the other. */
async function work(): Promise<void> {
  for (let at = next++; at < cells.length; at = next++) results[at] = await outcome(cells[at]!);
}

async function outcome(cell: Cell): Promise<CellResult> {
  const skipped = absence(cell.server) ?? absence(cell.client);
  if (skipped !== undefined) {
    progress.step(CASES);
    return { cell, cases: [], skipped };
  }
  const cases = await runCell(cell, () => progress.step());
  for (const { status } of cases) if (status === "failed") progress.fail();
  return { cell, cases };
}

// A cell is two processes, of which mostly one works.
await Promise.all(Array.from({ length: Math.max(2, availableParallelism() / 2) }, work));
progress.clear();

const all = results.flatMap(({ cases }) => cases);
const count = (wanted: string): number => all.filter(({ status }) => status === wanted).length;
const counts: Counts = {
  passed: count("passed"),
  failed: count("failed"),
  skipped: count("skipped") + results.filter(({ skipped }) => skipped !== undefined).length * CASES,
};
const seconds = Math.round((performance.now() - started) / 1000);
if (json) console.log(JSON.stringify({ ...counts, seconds, cells: results }));
else {
  console.log(table(results));
  for (const failure of failures(results)) console.log(`\n${paint("red", "failed")}  ${failure}`);
  for (const omission of omissions(results)) console.log(`\n${paint("dim", "skipped")} ${omission}`);
  console.log(`\n${seconds} s`);
  console.log(closingLine(counts));
}
process.exitCode = counts.failed === 0 ? 0 : 1;
