// Sessions outlive their connections: what a client has started goes on while it dials again. One that nobody comes back
// to is forgotten, and its processes are killed.
import { randomUUID } from "node:crypto";
import { RpcError } from "@sluice/session";
import type { Clock } from "./executor-clock.ts";
import { invalidRequest, overLimit, STILL_ATTACHED } from "./executor-error.ts";
import type { ExecutorLimits } from "./executor-limits.ts";
import type { Notify } from "./process.ts";
import { ProcessTable } from "./process-table.ts";

/** What a client has here. Whoever knows its id may resume it, so the id is a secret. */
export interface ExecSession {
  readonly id: string;
  readonly processes: ProcessTable;
}

interface Entry extends ExecSession {
  /** What forgets it, while no connection is attached. */
  expiry: (() => void) | undefined;
}

export class Sessions {
  readonly #limits: ExecutorLimits;
  readonly #clock: Clock;
  readonly #entries: Map<string, Entry> = new Map();

  constructor(limits: ExecutorLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  get size(): number {
    return this.#entries.size;
  }
  /** Processes of all sessions. */
  get processes(): number {
    let count = 0;
    for (const { processes } of this.#entries.values()) count += processes.size;
    return count;
  }

  /** A new session, or the one with this id; its events go to `notify` from now on. @throws RpcError */
  attach(id: string | undefined, notify: Notify): ExecSession {
    const entry = id === undefined ? this.#create() : this.#detached(id);
    entry.expiry?.();
    entry.expiry = undefined;
    entry.processes.attach(notify);
    return entry;
  }

  /** Its connection is gone. */
  detach(session: ExecSession): void {
    const entry = this.#entries.get(session.id);
    if (entry === undefined || entry.expiry !== undefined) return;
    entry.processes.detach();
    entry.expiry = this.#clock.after(this.#limits.detached, () => {
      this.#entries.delete(entry.id);
      void entry.processes.close();
    });
  }

  /** Forgets all of them; settles when their processes are gone. */
  async close(): Promise<void> {
    const all = [...this.#entries.values()];
    this.#entries.clear();
    for (const { expiry } of all) expiry?.();
    await Promise.all(all.map(({ processes }) => processes.close()));
  }

  #create(): Entry {
    const { sessions } = this.#limits;
    if (this.#entries.size >= sessions) throw overLimit("sessions", sessions, "too many sessions here");
    const processes = new ProcessTable(this.#limits, this.#clock);
    const entry: Entry = { id: randomUUID(), processes, expiry: undefined };
    this.#entries.set(entry.id, entry);
    return entry;
  }

  #detached(id: string): Entry {
    const entry = this.#entries.get(id);
    if (entry === undefined) throw invalidRequest(`unknown session id ${id}`);
    if (entry.expiry === undefined)
      throw new RpcError(STILL_ATTACHED, `session ${id} is already attached to another connection`);
    return entry;
  }
}
