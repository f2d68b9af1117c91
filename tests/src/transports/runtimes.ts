import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";

export const RUNTIMES = ["node", "deno", "bun"] as const;
export type Runtime = (typeof RUNTIMES)[number];

/** @throws Error where no runtime is called so */
export function runtimeOf(option: string, name: string): Runtime {
  const found = RUNTIMES.find((runtime) => runtime === name);
  if (found === undefined) throw new Error(`${option} takes ${RUNTIMES.join(", ")}`);
  return found;
}

/** The runtime this runs on. */
export const own: Runtime = "Deno" in globalThis ? "deno" : "Bun" in globalThis ? "bun" : "node";

const bin = (runtime: Runtime): string =>
  fileURLToPath(new URL(`../../../node_modules/.bin/${runtime}`, import.meta.url));

/** Why a runtime cannot be used here; undefined where it can. */
export function absence(runtime: Runtime): string | undefined {
  return runtime === own || existsSync(bin(runtime)) ? undefined : `${runtime} is not installed`;
}

/** The command that runs a TypeScript file. */
export function commandFor(
  runtime: Runtime,
  file: string,
  args: readonly string[],
): [command: string, args: readonly string[]] {
  const flags = runtime === "deno" ? ["run", "-A", "--quiet"] : [];
  return [executable(runtime), [...flags, file, ...args]];
}

/** What is in `.bin` may be a script around the runtime, which a signal would not reach: the runtime knows where it is. */
const executables: Partial<Record<Runtime, string>> = { [own]: process.execPath };
function executable(runtime: Runtime): string {
  const args =
    runtime === "deno" ? ["eval", "console.log(Deno.execPath())"] : ["-e", "console.log(process.execPath)"];
  return (executables[runtime] ??= execFileSync(bin(runtime), args, { encoding: "utf8" }).trim());
}
