// npm run sim -- [--seeds 20000] [--from 1]   runs so many seeds
//               [--seed 123]                  runs one and prints what happened
//               [--mutants]                   plants bugs and sees that each is found
//               [--model]                     explores the model's larger configurations
//               [--json]                      one JSON object on the standard output, and nothing else
import { parseArgs } from "node:util";
import { explore } from "../model/explore.ts";
import { LONG, SHORT } from "../model/programs.ts";
import { runBatches } from "./batch.ts";
import { MUTANTS } from "./mutants.ts";
import { run, shrink } from "./run.ts";

interface Step {
  readonly name: string;
  readonly ok: boolean;
  readonly [figure: string]: unknown;
}

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "20000" },
    from: { type: "string", default: "1" },
    seed: { type: "string" },
    mutants: { type: "boolean", default: false },
    model: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});

const say = (line: string): void => void (values.json || process.stdout.write(`${line}\n`));

function progress(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${line}`);
}

async function simulate(from: number, seeds: number): Promise<Step> {
  const started = performance.now();
  const batch = await runBatches(from, seeds, (all) =>
    progress(`${all.seeds} of ${seeds} seeds, ${all.failures.length} violations`),
  );
  progress("");
  const seconds = (performance.now() - started) / 1000;
  const { failures, differing, replayed, figures } = batch;
  const step = {
    name: "simulation",
    ok: failures.length === 0 && differing.length === 0,
    seeds,
    seconds: Math.round(seconds * 10) / 10,
    perSecond: Math.round(seeds / seconds),
    violations: failures.length,
    failing: failures.slice(0, 20).map(({ seed, violation }) => ({ seed, ...violation })),
    replayed,
    differing,
    figures,
  };
  say(`${step.seeds} seeds in ${step.seconds} s (${step.perSecond}/s): ${step.violations} violations`);
  say(
    `${replayed} seeds run twice: ${differing.length} differ${differing.length > 0 ? ` (${differing.join(" ")})` : ""}`,
  );
  for (const [what, n] of Object.entries(figures).sort(([one], [other]) => (one < other ? -1 : 1)))
    say(`  ${what}: ${n}`);
  const first = failures[0];
  if (first !== undefined && !values.json) explain(first.seed);
  return step;
}

/** Prints a failing seed with as few steps as it needs. */
function explain(seed: number): void {
  const { outcome, steps, of } = shrink(seed);
  say(`\nSeed ${seed}, ${steps} of its ${of} steps; the last events:`);
  for (const line of outcome.trace.slice(-80)) say(line);
  say(`Violation of ${outcome.violation?.message}`);
  say(`Again: npm run sim -- --seed ${seed}`);
}

function replay(seed: number): Step {
  const outcome = run(seed, { recording: true });
  for (const line of outcome.trace) say(line);
  const ok = outcome.violation === undefined;
  say(ok ? `Seed ${seed}: no violation, hash ${outcome.hash}` : `Violation of ${outcome.violation?.message}`);
  if (!ok) explain(seed);
  return { name: `seed ${seed}`, ok, hash: outcome.hash, violation: outcome.violation };
}

/** Seeds after which a mutant counts as not found. */
const PATIENCE = 5000;

function mutants(): Step {
  const found: { name: string; seed: number; rule: string }[] = [];
  const missed: string[] = [];
  for (const [i, { name, plant }] of MUTANTS.entries()) {
    progress(`mutant ${i + 1} of ${MUTANTS.length}: ${name}`);
    const restore = plant();
    let seed = 1;
    let violation = run(seed).violation;
    while (violation === undefined && seed < PATIENCE) violation = run(++seed).violation;
    restore();
    progress("");
    if (violation === undefined) missed.push(name);
    else found.push({ name, seed, rule: violation.rule });
    say(
      violation === undefined
        ? `MISSED  ${name}`
        : `seed ${seed}  ${name}: ${violation.message.split("\n")[0]!.slice(0, 90)}`,
    );
  }
  say(`${found.length} of ${MUTANTS.length} mutants found`);
  return {
    name: "mutants",
    ok: missed.length === 0,
    planted: MUTANTS.length,
    found: found.length,
    missed,
    mutants: found,
  };
}

function model(): Step {
  const explored = Object.entries({ ...SHORT, ...LONG }).map(([name, program]) => {
    progress(`model: ${name}`);
    const started = performance.now();
    const { states, complete, broken, stuck, lost, late } = explore(program);
    progress("");
    const fault = broken ?? stuck ?? lost;
    const ok = complete && fault === undefined && late <= 3 * program.streams.length;
    say(
      `${ok ? "ok " : "NOT"} ${name}: ${states} states in ${Math.round(performance.now() - started)} ms, ${late} late`,
    );
    if (fault !== undefined) say(`    ${fault.what}: ${fault.how.join("; ")}`);
    return { name, ok, states, late, ...(fault === undefined ? {} : { fault }) };
  });
  return { name: "model", ok: explored.every(({ ok }) => ok), explored };
}

const steps: Step[] = [];
if (values.seed !== undefined) steps.push(replay(Number(values.seed)));
else if (values.mutants) steps.push(mutants());
else if (values.model) steps.push(model());
else steps.push(await simulate(Number(values.from), Number(values.seeds)));
const ok = steps.every((step) => step.ok);
if (values.json) process.stdout.write(`${JSON.stringify({ ok, steps })}\n`);
if (!ok) process.exitCode = 1;
