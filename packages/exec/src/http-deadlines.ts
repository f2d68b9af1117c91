import type { HttpRequest } from "./http-client.ts";
import { HttpError } from "./http-error.ts";
import { LONGEST } from "./timer.ts";

type Phase = "headers" | "body" | "over";

/**
 * What may cut one request short: its signal and its timeouts, as one signal. It knows which of them it was, and so
 * what whoever waits is to be told.
 */
export class Deadlines {
  readonly #abort: AbortController = new AbortController();
  readonly #request: HttpRequest;
  readonly #started: number = performance.now();
  readonly #total: Timer;
  readonly #headers: Timer;
  #idle: Timer;
  #phase: Phase = "headers";

  constructor(request: HttpRequest) {
    const { timeouts = {}, signal } = request;
    this.#request = request;
    this.#total = this.#after(timeouts.total, TOTAL);
    this.#headers = this.#after(timeouts.headers, "timeouts.headers: no headers");
    if (signal?.aborted === true) this.#giveUp(signal.reason);
    else signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** Aborts when the request is given up: with the reason of its own signal, or why it failed. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** The headers have come. */
  arrived(): void {
    if (this.#phase === "headers") this.#phase = "body";
    clearTimeout(this.#headers);
  }

  /** The next piece of the body is waited for, and has come. */
  waiting(): void {
    const ms = this.#request.timeouts?.idle;
    if (ms !== undefined && this.#phase === "body")
      this.#idle = this.#after(ms, "timeouts.idle: no more of the body");
  }
  heard(): void {
    clearTimeout(this.#idle);
  }

  /** It is over: nothing is waited for any more. */
  end(): void {
    this.#phase = "over";
    for (const timer of [this.#total, this.#headers, this.#idle]) clearTimeout(timer);
    this.#request.signal?.removeEventListener("abort", this.#onAbort);
  }

  /** What to tell whoever waits, where `cause` is what the request failed with. What of it still goes on is given up. */
  why(cause: unknown, what: string): unknown {
    this.end();
    if (!this.signal.aborted) this.#abort.abort(this.#told(cause, what));
    return this.signal.reason;
  }

  #told(cause: unknown, what: string): unknown {
    // Who makes the request for us may have given it up for the same reason, a moment before we would.
    const { total } = this.#request.timeouts ?? {};
    if (total !== undefined && performance.now() - this.#started >= total) return timedOut(TOTAL, total);
    return cause instanceof HttpError
      ? cause
      : new HttpError("upstream", `${what}: ${textOf(cause)}`, { cause });
  }

  readonly #onAbort = (): void => this.#giveUp(this.#request.signal?.reason);

  #after(ms: number | undefined, what: string): Timer {
    if (ms === undefined) return undefined;
    return setTimeout(() => this.#giveUp(timedOut(what, ms)), Math.min(ms, LONGEST));
  }

  #giveUp(reason: unknown): void {
    if (this.#phase !== "over") this.#abort.abort(reason);
    this.end();
  }
}

const TOTAL = "timeouts.total: no whole response";

function timedOut(what: string, ms: number): HttpError {
  return new HttpError("timeout", `${what} within ${ms} ms`);
}

type Timer = ReturnType<typeof setTimeout> | undefined;

/** The innermost reason: `fetch failed` says nothing, its cause does. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? textOf(error.cause) : error.message;
}
