/** ms: a timer that is set to more fires at once (HTML, "Timers"), and servers say how long to wait. */
const LONGEST = 2 ** 31 - 1;

/** Resolves after `ms`, or when the signal is aborted. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, Math.min(ms, LONGEST));
    signal.addEventListener("abort", done);
  });
}
