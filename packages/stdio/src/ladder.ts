// Not the globals: on Deno those give numbers, which cannot be told to let the process end.
import { clearTimeout, setTimeout } from "node:timers";
import { signalGroup } from "./orphans.ts";

/** The way a process group is ended: wait for it, ask it, kill it. */
export class Ladder {
  readonly #pid: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** The last signal that was sent. */
  signalled: "SIGTERM" | "SIGKILL" | undefined;

  constructor(pid: number | undefined) {
    this.#pid = pid;
  }

  /** Waits, sends SIGTERM, waits, sends SIGKILL; times in ms. A second climb replaces the first. */
  climb(patience: number, term: number): void {
    clearTimeout(this.#timer);
    const ask = (): void => {
      this.#signal("SIGTERM");
      this.#timer = setTimeout(() => this.#signal("SIGKILL"), term);
    };
    if (patience > 0) this.#timer = setTimeout(ask, patience);
    else ask();
  }

  /** The process is gone. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  #signal(signal: "SIGTERM" | "SIGKILL"): void {
    if (this.#pid === undefined) return;
    this.signalled = signal;
    signalGroup(this.#pid, signal);
  }
}
