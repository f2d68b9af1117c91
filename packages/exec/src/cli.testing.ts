// The command as a process of its own, on any runtime.
import { execFileSync, spawn as start, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { codeOf } from "./process-group.ts";

export const RUNTIMES = ["node", "deno", "bun"] as const;
export type Runtime = (typeof RUNTIMES)[number];

/** The runtime these tests run on. */
export const own: Runtime = "Deno" in globalThis ? "deno" : "Bun" in globalThis ? "bun" : "node";

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const bin = (runtime: Runtime): string => path(`../../../node_modules/.bin/${runtime}`);

/** Why a runtime cannot be used here; undefined where it can. */
export function absence(runtime: Runtime): string | undefined {
  return runtime === own || existsSync(bin(runtime)) ? undefined : `${runtime} is not installed`;
}

/** What is in `.bin` may be a script around the runtime, which a signal would not reach: the runtime knows where it is. */
const executables: Partial<Record<Runtime, string>> = { [own]: process.execPath };
function executable(runtime: Runtime): string {
  const args =
    runtime === "deno" ? ["eval", "console.log(Deno.execPath())"] : ["-e", "console.log(process.execPath)"];
  return (executables[runtime] ??= execFileSync(bin(runtime), args, { encoding: "utf8" }).trim());
}

/** The line that runs the command. */
export function command(runtime: Runtime, ...args: string[]): [string, string[]] {
  const words = runtime === "deno" ? ["run", "-A"] : [];
  return [executable(runtime), [...words, path("./cli.ts"), ...args]];
}

/** A command that runs, without a session. */
export class Command implements AsyncDisposable {
  readonly process: ChildProcess;
  /** Its exit code, or 128 + the signal that ended it (Deno takes the one for the other). */
  readonly exited: Promise<number>;
  readonly #out: string[] = [];
  #err = "";

  constructor(runtime: Runtime, ...args: string[]) {
    const child = start(...command(runtime, ...args), { stdio: "pipe" });
    this.process = child;
    this.exited = new Promise((resolve) =>
      child.once("close", (code, signal) => resolve(code ?? codeOf(signal))),
    );
    createInterface({ input: child.stdout }).on("line", (line) => {
      this.#out.push(line);
      child.emit("told");
    });
    child.stderr.on("data", (text: Buffer) => (this.#err += text.toString()));
  }

  /** What it has printed, by lines. */
  get out(): readonly string[] {
    return this.#out;
  }
  get err(): string {
    return this.#err;
  }

  /** The first line it prints. Rejects where it ends before that. */
  async line(): Promise<string> {
    while (this.#out.length === 0) {
      const told = new Promise((resolve) => this.process.once("told", resolve));
      const gone = this.exited.then((how) => {
        throw new Error(`the command ended with ${how}: ${this.#err}`);
      });
      await Promise.race([told, gone]);
    }
    return this.#out[0]!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process.kill("SIGKILL");
    await this.exited;
  }
}
