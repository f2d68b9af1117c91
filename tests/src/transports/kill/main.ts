// npm run test:kill -- [--times 200] [--transport ws|http|"ws jsonrpc"|…] [--runtime node|deno|bun] [--seed 1]
//                      [--json]   one JSON object on the standard output, and nothing else
//
// Kills one end of a session by SIGKILL in the middle of calls and streams, at random moments, so many times on each
// transport, and sees that the other end lets go of everything.
import process from "node:process";
import { parseArgs } from "node:util";
import { closingLine, type Counts } from "../../../../scripts/report.ts";
import { Progress } from "../../progress.ts";
import { paint } from "../../style.ts";
import { readArguments } from "../../usage.ts";
import { kindsOf, type KindName } from "../kinds.ts";
import { leaveNoneBehind } from "../program.ts";
import { absence, own, runtimeOf } from "../runtimes.ts";
import { runKills } from "./kills.ts";
import type { Kill } from "./round.ts";

function whole(option: string, text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1) throw new Error(`${option} takes a whole number above 0`);
  return number;
}

const { names, runtime, times, seed, json } = readArguments(() => {
  const { values } = parseArgs({
    options: {
      times: { type: "string", default: "200" },
      transport: { type: "string" },
      runtime: { type: "string", default: own },
      seed: { type: "string", default: String(1 + (Date.now() % 1_000_000)) },
      json: { type: "boolean", default: false },
    },
  });
  return {
    names: kindsOf(values.transport),
    runtime: runtimeOf("--runtime", values.runtime),
    times: whole("--times", values.times),
    seed: whole("--seed", values.seed),
    json: values.json,
  };
});

const say = (line: string): void => void (json || console.log(line));
const median = (of: readonly number[]): number =>
  [...of].sort((a, b) => a - b)[Math.floor(of.length / 2)] ?? 0;

function summary(kind: KindName, kills: readonly Kill[]): string {
  const ms = kills.map((kill) => kill.ms);
  const unopened = kills.filter(({ ends }) => !ends.includes("lost by transport")).length;
  const failed = kills.filter(({ wrong }) => wrong.length > 0).length;
  const verdict = failed === 0 ? paint("green", "ok") : paint("red", `${failed} failed`);
  return (
    `${kind.padEnd(14)}${String(kills.length).padStart(4)} kills, ${String(unopened).padStart(3)} before the session was open; ` +
    `the survivor held nothing after ${median(ms).toFixed(0)} ms (median), ${Math.max(...ms).toFixed(0)} ms (longest)  ${verdict}`
  );
}

const missing = absence(runtime);
let counts: Counts = { passed: 0, failed: 0, skipped: 0 };
const all: { readonly kind: KindName; readonly kills: readonly Kill[] }[] = [];
say(`seed ${seed}`);
if (missing === undefined) {
  leaveNoneBehind();
  const progress = new Progress(names.length * times, "kills");
  for (const kind of names) {
    const kills = await runKills({ kind, runtime, times, seed, onKill: () => progress.step() });
    all.push({ kind, kills });
    progress.clear();
    say(summary(kind, kills));
    for (const { victim, doom, wrong } of kills)
      if (wrong.length > 0)
        say(`  ${victim} killed ${JSON.stringify(doom)}:\n${wrong.map((one) => `    ${one}`).join("\n")}`);
  }
  progress.clear();
  const failed = all.flatMap(({ kills }) => kills).filter(({ wrong }) => wrong.length > 0).length;
  counts = { passed: names.length * times - failed, failed, skipped: 0 };
} else {
  say(`skipped: ${missing}`);
  counts = { passed: 0, failed: 0, skipped: names.length * times };
}
if (json) console.log(JSON.stringify({ seed, runtime, ...counts, transports: all }));
say(closingLine(counts));
process.exitCode = counts.failed === 0 ? 0 : 1;
