import type { Clock } from "./executor-clock.ts";
import { invalidRequest, overLimit, startError } from "./executor-error.ts";
import type { ExecutorLimits } from "./executor-limits.ts";
import { ExecProcess, type Notify } from "./process.ts";
import type { ProcessSpec } from "./process-child.ts";
import { startOnPipes } from "./process-pipes.ts";
import { startOnTerminal } from "./pty.ts";

/** The processes of one session, by the ids its client gave them; for a while also those that have ended. */
export class ProcessTable {
  readonly #limits: ExecutorLimits;
  readonly #clock: Clock;
  readonly #processes: Map<string, ExecProcess> = new Map();
  /** What forgets those that have ended. */
  readonly #timers: Map<ExecProcess, () => void> = new Map();
  #notify: Notify | undefined;
  #life: "open" | "over" = "open";

  constructor(limits: ExecutorLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  get size(): number {
    return this.#processes.size;
  }

  get(id: string): ExecProcess | undefined {
    return this.#processes.get(id);
  }

  /** Settles once it runs. @throws RpcError where the id is taken, there are too many, or it cannot be started. */
  async start(id: string, spec: ProcessSpec, on: "pipes" | "terminal"): Promise<void> {
    const { processes } = this.#limits;
    if (this.#processes.has(id)) throw invalidRequest(`process ${id} already exists`);
    if (this.#life === "over") throw invalidRequest("the session is over");
    if (this.#processes.size >= processes)
      throw overLimit("processes", processes, "too many processes in this session");
    const process = new ExecProcess(id, this.#limits, this.#clock, () => this.#closed(process));
    this.#processes.set(id, process);
    if (this.#notify !== undefined) process.attach(this.#notify);
    try {
      await process.start((events) => (on === "pipes" ? startOnPipes : startOnTerminal)(spec, events));
    } catch (error) {
      this.#processes.delete(id);
      throw startError(error);
    }
  }

  /** A connection is there: it is told what happens from now on. */
  attach(notify: Notify): void {
    this.#notify = notify;
    for (const process of this.#processes.values()) process.attach(notify);
  }

  detach(): void {
    this.#notify = undefined;
    for (const process of this.#processes.values()) process.detach();
  }

  /** Kills all. Settles when they are gone. */
  async close(): Promise<void> {
    this.#life = "over";
    this.detach();
    for (const forget of this.#timers.values()) forget();
    this.#timers.clear();
    const all = [...this.#processes.values()];
    for (const process of all) process.terminate();
    await Promise.all(all.map(({ gone }) => gone));
    this.#processes.clear();
  }

  #closed(process: ExecProcess): void {
    if (this.#life === "over") return;
    const forget = (): void => {
      this.#timers.delete(process);
      this.#processes.delete(process.id);
    };
    this.#timers.set(process, this.#clock.after(this.#limits.remembered, forget));
  }
}
