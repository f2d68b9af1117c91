/** Time, as a client knows it; tests bring their own. */
export interface Clock {
  /** ms since whenever. */
  now(): number;
  /** Resolves after `ms`, or when the signal aborts. Never rejects. */
  pause(ms: number, signal: AbortSignal): Promise<void>;
}

/** ms: a timer that is set to more fires at once (HTML, "Timers"). */
const LONGEST = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => performance.now(),
  pause(ms, signal) {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, Math.min(ms, LONGEST)); // a server says how long
      signal.addEventListener("abort", done);
    });
  },
};
