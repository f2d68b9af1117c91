// npm run interop -- codex|sluice|acp [--only TEXT]… [--json]
//
// --only: the columns alone whose name has one of these texts in it, as "Sluice > SDK 2.4" or "ws". --json: one JSON object on
// the standard output, and nothing else.
//
// codex, sluice: our client against a real executor, codex's or our own, in processes of its own: over stdio and over a
// WebSocket, greeting and not. acp: clients and agents of the Agent Client Protocol with one another, in processes of
// their own, and with proxies between them.
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { closingLine, type Counts } from "../../../scripts/report.ts";
import { Progress } from "../progress.ts";
import { paint } from "../style.ts";
import { readArguments } from "../usage.ts";
import { ABSENT, findCodex } from "./find-codex.ts";
import { cases, cells, runCell } from "./run.ts";
import { failures, table, type Entry } from "./table.ts";
import { codexTarget, sluiceTarget, type Target } from "./target.ts";

const { json, only, which } = readArguments(() => {
  const { values, positionals } = parseArgs({
    options: { json: { type: "boolean", default: false }, only: { type: "string", multiple: true } },
    allowPositionals: true,
  });
  const [which, ...more] = positionals;
  if (more.length > 0 || (which !== "codex" && which !== "sluice" && which !== "acp"))
    throw new Error("usage: npm run interop -- codex|sluice|acp [--only TEXT]… [--json]");
  return { json: values.json, only: values.only?.map((text) => text.toLowerCase()), which };
});

// The peers that are run by Node are started a thousand times: what it makes of their source is kept.
process.env["NODE_COMPILE_CACHE"] ??= fileURLToPath(
  new URL("../../../node_modules/.cache/node", import.meta.url),
);

/** What is to be run, and how it shows. */
interface Plan {
  /** Cases in all. */
  readonly total: number;
  /** Each a table of its own: the columns. */
  readonly tables: readonly (readonly string[])[];
  /** What is not there, and why. */
  readonly absent: readonly string[];
  /** Runs it, and tells of each case. */
  run(onEntry: (entry: Entry) => void): Promise<void>;
}

function executorPlan(target: Target): Plan {
  process.on("exit", () => target.close());
  const chosen = choose(cells, ({ listen, wire }) => `${listen} ${wire}`);
  return {
    total: cases.length * chosen.length,
    tables: [chosen.map(({ column }) => column)],
    absent: [],
    async run(onEntry) {
      for (const { cell, column } of chosen)
        await runCell(target, cell, (result) => onEntry({ ...result, column }));
    },
  };
}

async function acpPlan(): Promise<Plan> {
  const { matrix, sizeOf, runCell: runAcpCell } = await import("./acp/matrix.ts");
  const { cells: all, absent, broken } = await matrix();
  if (broken.length > 0) {
    console.error(broken.join("\n"));
    process.exit(1);
  }
  const chosen = choose(all, ({ client, agent, proxies, chain }) => {
    const between = chain === undefined ? "" : `, ${proxies} of ${chain.name}`;
    return `${client.name} > ${agent.name}${between}`;
  });
  const byProxies = Map.groupBy(chosen, ({ cell }) => cell.proxies);
  return {
    total: chosen.reduce((sum, { cell }) => sum + sizeOf(cell), 0),
    tables: [...byProxies.values()].map((group) => group.map(({ column }) => column)),
    absent,
    async run(onEntry) {
      for (const { cell, column } of chosen)
        await runAcpCell(cell, (result) => onEntry({ ...result, column }));
    },
  };
}

/** The cells that are asked for, and their names. Ends the process where there is none. */
function choose<C>(cells: readonly C[], nameOf: (cell: C) => string): { cell: C; column: string }[] {
  const all = cells.map((cell) => ({ cell, column: nameOf(cell) }));
  const chosen = all.filter(
    ({ column }) => only?.some((text) => column.toLowerCase().includes(text)) ?? true,
  );
  if (chosen.length > 0) return chosen;
  console.error(
    `no column is named like that: there are\n${all.map(({ column }) => `  ${column}`).join("\n")}`,
  );
  return process.exit(2);
}

async function plan(): Promise<Plan | undefined> {
  if (which === "acp") return acpPlan();
  if (which === "sluice") return executorPlan(sluiceTarget());
  const command = findCodex();
  return command && executorPlan(codexTarget(command));
}

for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(130));

const planned = await plan();
if (planned === undefined) {
  console.log(json ? JSON.stringify({ skipped: ABSENT }) : ABSENT);
  process.exit(0);
}

const started = performance.now();
const progress = new Progress(planned.total, "cases");
const results: Entry[] = [];
await planned.run((entry) => {
  results.push(entry);
  progress.step();
  if (entry.status === "failed") progress.fail();
});
progress.clear();

const { tables, absent } = planned;
const count = (wanted: Entry["status"]): number => results.filter(({ status }) => status === wanted).length;
const counts: Counts = { passed: count("passed"), failed: count("failed"), skipped: count("skipped") };
const seconds = Math.round((performance.now() - started) / 1000);
if (json) console.log(JSON.stringify({ ...counts, seconds, ...(absent.length > 0 && { absent }), results }));
else {
  for (const columns of tables)
    console.log(
      `${table(
        results.filter(({ column }) => columns.includes(column)),
        columns,
      )}\n`,
    );
  for (const failure of failures(results)) console.log(`${paint("red", "failed")}  ${failure}\n`);
  for (const reason of absent) console.log(`${reason}\n`);
  console.log(`${seconds} s`);
  console.log(closingLine(counts));
}
process.exitCode = counts.failed === 0 ? 0 : 1;
