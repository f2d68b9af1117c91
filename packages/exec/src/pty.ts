// A process on a terminal of its own. Bun has terminals; on Node and Deno they are those of `@lydell/node-pty`, which does
// not work on Bun.
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { delimiter, resolve } from "node:path";
import type { Child, ChildEvents, ProcessSpec } from "./process-child.ts";
import { startOnBunTerminal } from "./pty-bun.ts";
import { startOnNodePty } from "./pty-node.ts";

/** Starts it; rejects with the system's error where it cannot be, and says what to install where terminals are missing. */
export async function startOnTerminal(spec: ProcessSpec, events: ChildEvents): Promise<Child> {
  await mustBeRunnable(spec);
  return "Bun" in globalThis ? startOnBunTerminal(spec, events) : startOnNodePty(spec, events);
}

/** A terminal whose program cannot be found ends without a reason, so this is asked before. */
async function mustBeRunnable({ argv, cwd, env }: ProcessSpec): Promise<void> {
  await stat(cwd);
  const [program = ""] = argv;
  if (process.platform === "win32") return;
  if (program.includes("/")) return access(resolve(cwd, program), constants.X_OK);
  for (const path of (env["PATH"] ?? "/bin:/usr/bin").split(delimiter))
    if (await isRunnable(resolve(cwd, path, program))) return;
  throw Object.assign(new Error("not found in PATH"), { code: "ENOENT" });
}

async function isRunnable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
