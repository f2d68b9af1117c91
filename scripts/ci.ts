// `bash .ci/run`: everything a change has to pass, `npm test` first. Each step runs even where one before it failed.
// Arguments name the steps to run: `bash .ci/run arrows examples`.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { parseClosingLine, closingLine } from "./report.ts";
import { failures, runStep, table, total, type Result, type Step } from "./steps.ts";

const chromium = process.env["CHROMIUM"] ?? "/usr/bin/chromium";

/** Chromium is a matter of the machine. Where it is missing and apt-get can bring it, it is brought. */
function withoutChromium(): string | undefined {
  if (existsSync(chromium)) return undefined;
  console.log(`no ${chromium}: trying apt-get …`);
  for (const args of [
    ["update", "-qq"],
    ["install", "-y", "-qq", "--no-install-recommends", "chromium"],
  ]) {
    const options = {
      stdio: "ignore",
      timeout: 5 * 60_000,
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    } as const;
    if (spawnSync("apt-get", args, options).status !== 0) break;
  }
  return existsSync(chromium) ? undefined : `no ${chromium}, and apt-get could not install it`;
}

const withoutFile = (path: string) => (): string | undefined =>
  existsSync(path) ? undefined : `there is no ${path} yet`;

const steps: readonly Step[] = [
  { name: "tests", run: ["npm", "test"], minutes: 60, counts: parseClosingLine },
  { name: "types", run: ["npm", "run", "typecheck"] },
  { name: "lint", run: ["npm", "run", "lint"] },
  { name: "format", run: ["npm", "run", "format", "--", "--check"] },
  { name: "arrows", run: ["npm", "run", "check:arrows"] },
  { name: "exports", run: ["npm", "run", "check:pack"] },
  { name: "dead code", run: ["npm", "run", "knip"] },
  { name: "examples", run: ["npm", "run", "check:readme", "--", "--runtime", "node,deno,bun"] },
  {
    name: "simulation",
    run: ["npm", "run", "sim", "--", "--seeds", "500"],
    skip: withoutFile("tests/src/sim/main.ts"),
  },
  {
    name: "transports",
    run: ["npm", "run", "test:transports"],
    minutes: 20,
    counts: parseClosingLine,
  },
  {
    name: "kills",
    // For each of the four kinds of transport: two hundred in all.
    run: ["npm", "run", "test:kill", "--", "--times", "50", "--seed", "1"],
    minutes: 20,
    counts: parseClosingLine,
  },
  { name: "consumer", run: ["npm", "run", "check:consumer"] },
  { name: "jsr", run: ["npm", "run", "check:jsr"] },
  { name: "sizes", run: ["npm", "run", "size"] },
  {
    name: "browser",
    run: ["npm", "run", "test:browser"],
    skip: withoutChromium,
    counts: parseClosingLine,
  },
];

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !steps.some((step) => step.name === name));
if (unknown.length > 0)
  throw new Error(
    `no step is called ${unknown.join(", ")}; there are ${steps.map((s) => s.name).join(", ")}`,
  );

const results: Result[] = [];
for (const step of steps)
  if (wanted.length === 0 || wanted.includes(step.name)) results.push(await runStep(step));

const all = total(results);
if (all.failed > 0) console.log(`\n${failures(results)}`);
console.log(`\n${table(results)}\n`);
console.log(closingLine(all));
process.exitCode = all.failed === 0 ? 0 : 1;
