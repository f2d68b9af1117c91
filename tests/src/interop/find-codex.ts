// Where the codex command is: named in the environment, among the dependencies, or on the path. Nothing is downloaded.
import { accessSync, constants, existsSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";

/** A command and the arguments it needs before its own. */
export type Command = readonly [command: string, ...args: string[]];

export const ABSENT =
  "skipped: there is no codex here. Install it (npm install --global @openai/codex), or set SLUICE_CODEX to its path";

/** The command, or undefined. @throws Error where SLUICE_CODEX names what is not there. */
export function findCodex(): Command | undefined {
  const named = process.env["SLUICE_CODEX"];
  if (named !== undefined && named !== "") {
    if (!existsSync(named)) throw new Error(`SLUICE_CODEX names no file: ${named}`);
    return commandOf(named);
  }
  return installed() ?? onPath();
}

function commandOf(path: string): Command {
  return /\.[cm]?js$/.test(path) ? [process.execPath, path] : [path];
}

/** As a dependency, of the workspace or of whoever has installed it above. */
function installed(): Command | undefined {
  try {
    const manifest = createRequire(import.meta.url).resolve("@openai/codex/package.json");
    return ["node", join(dirname(manifest), "bin", "codex.js")];
  } catch {
    return undefined;
  }
}

function onPath(): Command | undefined {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const path = join(folder, process.platform === "win32" ? "codex.exe" : "codex");
    try {
      accessSync(path, constants.X_OK);
      return [path];
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}
