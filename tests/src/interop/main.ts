// npm run interop -- codex [--json]   one JSON object on the standard output, and nothing else
//
// Our client against a real executor of somebody else's, in real processes: over stdio and over a WebSocket, greeting
// and not.
import process from "node:process";
import { parseArgs } from "node:util";
import { closingLine, type Counts } from "../../../scripts/report.ts";
import { Progress } from "../progress.ts";
import { paint } from "../style.ts";
import { readArguments } from "../usage.ts";
import { ABSENT, findCodex } from "./find-codex.ts";
import { cases, cells, runCell, type Result } from "./run.ts";
import { failures, table } from "./table.ts";
import { codexTarget } from "./target.ts";

const { json, command } = readArguments(() => {
  const { values, positionals } = parseArgs({
    options: { json: { type: "boolean", default: false } },
    allowPositionals: true,
  });
  if (positionals.length !== 1 || positionals[0] !== "codex")
    throw new Error("usage: npm run interop -- codex [--json]");
  return { json: values.json, command: findCodex() };
});

if (command === undefined) {
  console.log(json ? JSON.stringify({ skipped: ABSENT }) : ABSENT);
  process.exit(0);
}

const target = codexTarget(command);
process.on("exit", () => target.close());
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(130));

const started = performance.now();
const progress = new Progress(cases.length * cells.length, "cases");
const results: Result[] = [];
for (const cell of cells) {
  const ran = await runCell(target, cell, ({ status }) => {
    progress.step();
    if (status === "failed") progress.fail();
  });
  results.push(...ran);
}
progress.clear();

const count = (wanted: Result["status"]): number => results.filter(({ status }) => status === wanted).length;
const counts: Counts = { passed: count("passed"), failed: count("failed"), skipped: count("skipped") };
const seconds = Math.round((performance.now() - started) / 1000);
if (json) console.log(JSON.stringify({ ...counts, seconds, results }));
else {
  console.log(table(results, cells));
  for (const failure of failures(results)) console.log(`\n${paint("red", "failed")}  ${failure}`);
  console.log(`\n${seconds} s`);
  console.log(closingLine(counts));
}
process.exitCode = counts.failed === 0 ? 0 : 1;
