// Not the globals: on Deno those give numbers, which cannot be told to let the process end.
import { clearTimeout, setTimeout } from "node:timers";
import { LONGEST } from "./timer.ts";

/** What an executor waits by; tests bring their own. */
export interface Clock {
  /** Runs `task` in `ms`, unless what it returns is called before. */
  after(ms: number, task: () => void): () => void;
}

/** The runtime's timers. They do not keep a process alive. */
export const systemClock: Clock = {
  after(ms, task) {
    const timer = setTimeout(task, Math.min(ms, LONGEST));
    timer.unref();
    return () => clearTimeout(timer);
  },
};
