// npm run interop -- codex|sluice [--json]   one JSON object on the standard output, and nothing else
//
// Our client against a real executor, codex's or our own, in processes of its own: over stdio and over a WebSocket,
// greeting and not.
import process from "node:process";
import { parseArgs } from "node:util";
import { closingLine, type Counts } from "../../../scripts/report.ts";
import { Progress } from "../progress.ts";
import { paint } from "../style.ts";
import { readArguments } from "../usage.ts";
import { ABSENT, findCodex } from "./find-codex.ts";
import { cases, cells, runCell, type Result } from "./run.ts";
import { failures, table } from "./table.ts";
import { codexTarget, sluiceTarget, type Target } from "./target.ts";

const { json, target } = readArguments(() => {
  const { values, positionals } = parseArgs({
    options: { json: { type: "boolean", default: false } },
    allowPositionals: true,
  });
  const [which, ...more] = positionals;
  if (more.length > 0 || (which !== "codex" && which !== "sluice"))
    throw new Error("usage: npm run interop -- codex|sluice [--json]");
  return { json: values.json, target: which === "sluice" ? sluiceTarget() : codex() };
});

function codex(): Target | undefined {
  const command = findCodex();
  return command && codexTarget(command);
}

if (target === undefined) {
  console.log(json ? JSON.stringify({ skipped: ABSENT }) : ABSENT);
  process.exit(0);
}

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
