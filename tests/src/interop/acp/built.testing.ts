import type { TestContext } from "vitest";
import { casesOf } from "./cases.ts";
import type { AcpResult } from "./run.ts";
import type { Built } from "./rust-peer.ts";

/** The whole of the matrix takes minutes: other runtimes speak with the SDK, and Node with all. */
export const onNode: boolean = !("Deno" in globalThis) && !("Bun" in globalThis);
/** ms to build the Rust programs, cold. */
export const BUILD = 1_800_000;
/** ms for the cases of a cell. */
export const MINUTES = 300_000;

/** The path of a program. Skips the test where it is not there; fails it where it does not build. */
export function path(built: Built, context: TestContext): string {
  if ("path" in built) return built.path;
  if (built.why === "build failed") throw new Error(built.reason);
  return context.skip(built.reason);
}

/** The cases of the words that have not passed, with the reason. */
export function unmet(results: readonly AcpResult[]): readonly string[] {
  const ran = new Set(results.map(({ name }) => name));
  const missing = casesOf("words").filter(({ name }) => !ran.has(name));
  const failed = results.filter(({ status }) => status !== "passed");
  return [
    ...missing.map(({ name }) => `${name}: it has not run`),
    ...failed.map(({ name, reason }) => `${name}: ${reason}`),
  ];
}
