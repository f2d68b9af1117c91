// A program in a process of its own that is spoken with in lines of JSON: what it says on its standard output, what it
// is told on its standard input.
import { spawn, type ChildProcess } from "node:child_process";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { commandFor, type Runtime } from "./runtimes.ts";

/** How it ended: one of the two is not null. */
export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

export interface ProgramOptions {
  /** In a process group of its own, which goes as a whole when it is killed. Default: no. */
  readonly group?: boolean;
}

/** What it said is kept up to here, counted from the end. */
const TAIL = 2000;

export class Program {
  readonly name: string;
  /** Settles when the process is gone and all it said was read. */
  readonly exited: Promise<Exit>;
  /** When it was found to be gone, by `performance.now`. undefined while it runs. */
  gone: number | undefined;
  readonly #child: ChildProcess;
  readonly #group: boolean;
  #lines: unknown[] = [];
  #waiting: { readonly resolve: (line: never) => void; readonly reject: (error: Error) => void }[] = [];
  #exit: Exit | undefined;
  #errors = "";

  /** @param file of the program, from this folder */
  constructor(
    runtime: Runtime,
    file: string,
    args: readonly string[] = [],
    { group = false }: ProgramOptions = {},
  ) {
    this.name = `${runtime} ${file.replace(/^.*\//, "")} ${args.join(" ")}`.trim();
    this.#group = group;
    const [command, all] = commandFor(runtime, fileURLToPath(new URL(file, import.meta.url)), args);
    const child = spawn(command, all, { stdio: "pipe", detached: group });
    this.#child = child;
    running.add(this);
    child.stdin.on("error", () => {}); // it is gone, which `exited` tells
    child.stderr.on("data", (data) => (this.#errors = (this.#errors + String(data)).slice(-TAIL)));
    createInterface({ input: child.stdout }).on("line", (line) => this.#onLine(line));
    this.exited = new Promise((resolve) => {
      child.once("error", (error) => (this.#errors = error.message));
      child.once("exit", () => (this.gone = performance.now()));
      child.once("close", (code, signal) => {
        running.delete(this);
        this.#exit = { code, signal };
        for (const { reject } of this.#waiting) reject(this.#ended());
        resolve(this.#exit);
      });
    });
  }

  /** The end of what it wrote to its standard error. */
  get errors(): string {
    return this.#errors.trim();
  }

  /** The next line it says, parsed. Rejects where it ends before that. */
  next<T>(): Promise<T> {
    const line = this.#lines.shift();
    if (line !== undefined) return Promise.resolve(line as T);
    if (this.#exit !== undefined) return Promise.reject(this.#ended());
    return new Promise<T>((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  tell(what: object): void {
    this.#child.stdin?.write(`${JSON.stringify(what)}\n`);
  }

  /** Ends its standard input. */
  hush(): void {
    this.#child.stdin?.end();
  }

  kill(): void {
    // A group outlives its first process.
    if (!this.#group) this.#child.kill("SIGKILL");
    else if (this.#child.pid !== undefined) {
      try {
        process.kill(-this.#child.pid, "SIGKILL");
      } catch {
        // Nobody is left in it.
      }
    }
  }

  #onLine(line: string): void {
    let said: unknown;
    try {
      said = JSON.parse(line);
    } catch {
      this.#errors = `${this.#errors}${line}\n`.slice(-TAIL);
      return;
    }
    const first = this.#waiting.shift();
    if (first === undefined) this.#lines.push(said);
    else first.resolve(said as never);
  }

  #ended(): Error {
    const how = this.#exit?.signal ?? `exit code ${this.#exit?.code}`;
    return new Error(`${this.name} ended with ${how}${this.errors === "" ? "" : `: ${this.errors}`}`);
  }
}

const running = new Set<Program>();

/** Has every program killed that runs when this process ends, also by Ctrl-C. */
export function leaveNoneBehind(): void {
  process.on("exit", () => {
    for (const program of running) program.kill();
  });
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(130));
}
