// A client that is a program: it drives the agent it is given, and prints a line of JSON for each case.
//
//   <client> [--script words|example] [--arrows N] -- <agent command>     exits 0 where every case passed, else 1
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import process from "node:process";
import { parseArgs } from "node:util";
import type { AcpAgentUnderTest, AcpClientUnderTest, Command, Script } from "./case.ts";
import { casesOf } from "./cases.ts";
import { runCases, type AcpResult } from "./run.ts";

/** A client in a process of its own. */
export interface AcpClientProgram {
  readonly name: string;
  /** The scripts it has cases for. */
  readonly scripts: readonly Script[];
  readonly command: Command;
}

/** ms, for all cases together; then it is ended. */
const LIMIT = 600_000;

/** What such a program does: reads the command line, runs the cases, prints what came of them. */
export async function main(client: AcpClientUnderTest): Promise<void> {
  const { values, positionals } = parseArgs({
    options: {
      script: { type: "string", default: "words" },
      arrows: { type: "string", default: "0" },
    },
    allowPositionals: true,
  });
  const [command, ...args] = positionals;
  const { script } = values;
  if (command === undefined || (script !== "words" && script !== "example")) {
    console.error("usage: [--script words|example] [--arrows N] -- <agent command>");
    process.exit(2);
  }
  const agent: AcpAgentUnderTest = { name: command, script, command: [command, ...args] };
  const results = await runCases({
    client,
    agent,
    arrows: Number(values.arrows),
    onResult: (result) => console.log(JSON.stringify(result)),
  });
  process.exitCode = results.every(({ status }) => status === "passed") ? 0 : 1;
}

/** Runs such a program. What it does not tell of is skipped; a program that ends otherwise than it says has failed. */
export async function runProgram(
  { name, command: [command, ...before] }: AcpClientProgram,
  { script, command: agent }: AcpAgentUnderTest,
  arrows: number = 0,
  onResult: (result: AcpResult) => void = () => {},
): Promise<readonly AcpResult[]> {
  const args = [...before, "--script", script, "--arrows", String(arrows), "--", ...agent];
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], timeout: LIMIT });
  let errors = "";
  child.stderr.on("data", (data) => (errors = (errors + String(data)).slice(-2_000)));
  const told = new Map<string, AcpResult>();
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  createInterface({ input: child.stdout }).on("line", (line) => {
    const result = JSON.parse(line) as AcpResult;
    told.set(result.name, result);
    onResult(result);
  });
  const code = await exited;
  const untold = casesOf(script)
    .filter(({ name: of }) => !told.has(of))
    .map(({ name: of }): AcpResult => {
      return { name: of, status: "skipped", reason: `${name} has no such case`, ms: 0 };
    });
  const known = new Set(casesOf(script).map(({ name: of }) => of));
  const strange = [...told.keys()].filter((of) => !known.has(of));
  const passed = [...told.values()].every(({ status }) => status === "passed");
  if (told.size === 0 || strange.length > 0 || code !== (passed ? 0 : 1)) {
    const reason = `exit code ${code}, unknown cases: ${strange.join("; ") || "none"}; ${errors}`;
    untold.push({ name: `${name} runs to its end`, status: "failed", reason, ms: 0 });
  }
  for (const result of untold) onResult(result);
  return [...told.values(), ...untold];
}
