// An executor to run the cases against.
import { spawn as start } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { spawn } from "@sluice/stdio";
import type { Transport } from "@sluice/transport";
import type { Command } from "./find-codex.ts";

/** A server of WebSockets. */
export interface Served {
  readonly url: string;
  stop(): Promise<void>;
}

export interface Target {
  /** One of its own for each connection. */
  stdio(): Transport;
  serve(): Promise<Served>;
  /** Lets go of what it has made. */
  close(): void;
}

/** The real codex exec-server, with a home of its own. */
export function codexTarget([command, ...before]: Command): Target {
  const home = mkdtempSync(join(tmpdir(), "sluice-codex-"));
  const env = { CODEX_HOME: home };
  const argsOf = (listen: string): string[] => [...before, "exec-server", "--listen", listen];
  return {
    stdio: () => spawn(command, argsOf("stdio"), { env }),
    serve: () => served(command, argsOf("ws://127.0.0.1:0"), env),
    close: () => rmSync(home, { recursive: true, force: true }),
  };
}

/** Our own executor, by its command. */
export function sluiceTarget(): Target {
  const cli = fileURLToPath(new URL("../../../packages/exec/src/cli.ts", import.meta.url));
  const argsOf = (listen: string): string[] => [cli, "--allow-private", "--listen", listen];
  return {
    stdio: () => spawn("node", argsOf("stdio")),
    serve: () => served("node", argsOf("ws://127.0.0.1:0")),
    close: () => {},
  };
}

/** A command that prints the URL it serves as a line, and serves until it is killed. */
async function served(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Served> {
  const child = start(command, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env },
    detached: true, // what starts it may be a script: it goes with all it has started
  });
  let errors = "";
  child.stderr.on("data", (data) => (errors = (errors + String(data)).slice(-2000)));
  const gone = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const kill = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    } catch {
      // It is gone.
    }
  };
  process.once("exit", kill);
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (/^wss?:\/\//.test(line)) resolve(line.trim());
    });
    child.once("error", reject);
    void gone.then(() => reject(new Error(`${command} ended before it said where it listens: ${errors}`)));
  });
  return {
    url,
    async stop() {
      process.off("exit", kill);
      kill();
      await gone;
    },
  };
}
