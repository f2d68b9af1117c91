// Which calls of a connection run. Ordinary ones run beside each other up to a bound; those beyond it wait in order; those
// beyond what may wait are refused. Control calls (end a process, close a file, what is the state) do not come through
// here at all, so that nothing that takes its time can keep them waiting.
import { overLimit } from "./executor-error.ts";

export interface LaneLimits {
  readonly calls: number;
  readonly waiting: number;
  readonly callSize: number;
}

interface Waiting {
  start(): void;
  fail(reason: unknown): void;
}

export class Lanes {
  readonly #limits: LaneLimits;
  readonly #queue: Set<Waiting> = new Set();
  #running = 0;
  #size = 0;

  constructor(limits: LaneLimits) {
    this.#limits = limits;
  }

  get running(): number {
    return this.#running;
  }
  get waiting(): number {
    return this.#queue.size;
  }

  /**
   * Runs `task` once there is room. Rejects with RpcError -32012 where too much waits already, and with the signal's
   * reason where it aborts first; then the task never runs. The signal is only asked for where the task has to wait.
   */
  async run<T>(params: unknown, signal: () => AbortSignal, task: () => T): Promise<Awaited<T>> {
    const size = sizeOf(params);
    const { calls, waiting, callSize } = this.#limits;
    if (this.#size + size > callSize && this.#size > 0)
      throw overLimit("callSize", callSize, "the params of too many calls are held here");
    this.#size += size;
    try {
      if (this.#running >= calls) {
        if (this.#queue.size >= waiting) throw overLimit("waiting", waiting, "too many calls wait here");
        await this.#turn(signal());
      } else this.#running++;
      try {
        return await task();
      } finally {
        this.#next();
      }
    } finally {
      this.#size -= size;
    }
  }

  /** Settles with a place of its own. */
  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => waiting.fail(signal.reason);
      const over = (): void => {
        this.#queue.delete(waiting);
        signal.removeEventListener("abort", onAbort);
      };
      const waiting: Waiting = {
        start: () => {
          over();
          resolve();
        },
        fail: (reason) => {
          over();
          reject(reason);
        },
      };
      this.#queue.add(waiting);
      if (signal.aborted) onAbort();
      else signal.addEventListener("abort", onAbort);
    });
  }

  /** The place goes to whoever waits longest. */
  #next(): void {
    const [first] = this.#queue;
    if (first === undefined) this.#running--;
    else first.start();
  }
}

/** Roughly how much memory params take, in characters. */
function sizeOf(value: unknown): number {
  if (typeof value === "string") return value.length;
  if (typeof value !== "object" || value === null) return 8;
  let size = 8;
  for (const member of Object.values(value)) size += sizeOf(member);
  return size;
}
