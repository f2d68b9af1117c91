// An agent's process: its standard streams as web streams, and an end that leaves nothing behind.
import { spawn, type ChildProcess } from "node:child_process";
import process from "node:process";
import { Readable, Writable } from "node:stream";
import type { Command } from "./case.ts";

/** ms an agent has to end by itself once its input has ended. */
const GRACE = 5_000;
/** Characters of its standard error that are kept. */
const TAIL = 2_000;

export class AgentProcess {
  readonly input: WritableStream<Uint8Array>;
  readonly output: ReadableStream<Uint8Array>;
  /** Settles once the process is gone, with its exit code; null where a signal has ended it. */
  readonly exited: Promise<number | null>;
  readonly #child: ChildProcess;
  #errors = "";

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.exited = new Promise((resolve) => child.once("close", resolve));
    child.stderr!.on("data", (data) => (this.#errors = (this.#errors + String(data)).slice(-TAIL)));
    child.stdin!.on("error", () => {}); // it is gone, which `exited` tells
    this.input = Writable.toWeb(child.stdin!) as WritableStream<Uint8Array>;
    this.output = Readable.toWeb(child.stdout!) as ReadableStream<Uint8Array>;
  }

  /** @throws where the program cannot be started. */
  static async start([command, ...args]: Command): Promise<AgentProcess> {
    // A group of its own, so that what it has started goes with it.
    const child = spawn(command, args, { stdio: "pipe", detached: true });
    const agent = new AgentProcess(child);
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", reject);
    });
    const kill = (): void => agent.#kill();
    process.once("exit", kill);
    void agent.exited.then(() => process.off("exit", kill));
    return agent;
  }

  /** The end of what it has written to its standard error. */
  get errors(): string {
    return this.#errors;
  }

  /** Ends its input and waits until it is gone; kills it where it does not go by itself. */
  async stop(): Promise<"ended" | "killed"> {
    this.#child.stdin!.end();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<"late">((resolve) => {
      timer = setTimeout(() => resolve("late"), GRACE);
    });
    const first = await Promise.race([this.exited, late]);
    clearTimeout(timer);
    if (first !== "late") return "ended";
    this.#kill();
    await this.exited;
    return "killed";
  }

  #kill(): void {
    try {
      if (this.#child.pid !== undefined) process.kill(-this.#child.pid, "SIGKILL");
    } catch {
      // It is gone.
    }
  }
}
