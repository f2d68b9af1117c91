// A lost connection is opened again until that succeeds, is refused for good, or the deadline passes: one attempt after
// the other, with the same delay between them. The deadline is below the 30 s for which executors keep a session.
import { RpcError, SessionError } from "@sluice/session";
import { ExecError } from "./client-error.ts";
import { LONGEST } from "./timer.ts";

export interface RecoveryOptions {
  /** ms from the loss until it is given up. Default 25 s. */
  readonly deadline?: number;
  /** ms between two attempts. Default 100. */
  readonly delay?: number;
  /** What new calls do meanwhile: `wait` (default), or `fail` with an `ExecError` of kind `recovering`. */
  readonly calls?: "wait" | "fail";
}

/** @throws RangeError that names the time which is none. */
export function checked(options: RecoveryOptions = {}): RecoveryOptions {
  const { deadline = DEADLINE, delay = DELAY } = options;
  for (const [name, ms] of Object.entries({ deadline, delay }))
    if (!(ms > 0)) throw new RangeError(`recovery.${name} must be above 0 ms, not ${ms}`);
  return options;
}

const DEADLINE = 25_000;
const DELAY = 100;

/**
 * The first attempt that succeeds. Aborting `signal` gives up with its reason.
 * @throws what the last attempt threw, where another cannot do better; ExecError of kind `timeout` at the deadline.
 */
export async function recover<T>(
  attempt: (signal: AbortSignal) => Promise<T>,
  { deadline = DEADLINE, delay = DELAY }: RecoveryOptions,
  signal: AbortSignal,
): Promise<T> {
  const abort = new AbortController();
  const late = new ExecError("timeout", `recovery timed out after ${deadline} ms (recovery.deadline)`);
  const timer = setTimeout(() => abort.abort(late), Math.min(deadline, LONGEST));
  const either = AbortSignal.any([signal, abort.signal]);
  try {
    for (;;) {
      try {
        return await attempt(either);
      } catch (error) {
        if (either.aborted) throw either.reason;
        if (!mayBetter(error)) throw error;
      }
      await pause(delay, either);
    }
  } finally {
    clearTimeout(timer);
  }
}

// Still attached elsewhere, transport closed, draining, overloaded.
const PASSING: ReadonlySet<number> = new Set([-32_010, -32_000, -32_011, -32_012]);

/** Whether another attempt may succeed where this one failed. */
function mayBetter(error: unknown): boolean {
  if (error instanceof ExecError && error.cause instanceof RpcError) return PASSING.has(error.cause.code);
  if (error instanceof ExecError) return error.kind === "disconnected" || error.kind === "timeout";
  if (error instanceof SessionError) return error.code !== "protocol" && error.code !== "limit";
  // What a dial function throws: nobody listens, or not yet.
  return true;
}

/** Settles after `ms`. Rejects with the reason of `signal` when that aborts. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(
      () => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      },
      Math.min(ms, LONGEST),
    );
    signal.addEventListener("abort", onAbort, { once: true });
  });
}
