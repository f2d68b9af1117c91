// Where the runtimes are: the one this runs on, those the project has installed, or those on the PATH.
import { existsSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";

export const RUNTIMES = ["node", "deno", "bun"] as const;
export type Runtime = (typeof RUNTIMES)[number];

export function isRuntime(name: string): name is Runtime {
  return (RUNTIMES as readonly string[]).includes(name);
}

export function thisRuntime(): Runtime {
  if ("Deno" in globalThis) return "deno";
  return "Bun" in globalThis ? "bun" : "node";
}

/** The command that runs a TypeScript file. */
export function commandFor(runtime: Runtime, file: string, ...args: string[]): [string, ...string[]] {
  const flags = runtime === "deno" ? ["run", "-A", "--quiet"] : [];
  return [find(runtime), ...flags, file, ...args];
}

function find(runtime: Runtime): string {
  if (runtime === thisRuntime()) return process.execPath;
  const installed = fileURLToPath(new URL(`../../../node_modules/.bin/${runtime}`, import.meta.url));
  return existsSync(installed) ? installed : runtime;
}
