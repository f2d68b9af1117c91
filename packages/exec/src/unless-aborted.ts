/** Settles as `waited` does, unless the signal aborts before: then it rejects with its reason. */
export function unlessAborted<T>(waited: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return waited;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    waited.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
