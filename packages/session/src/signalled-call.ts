import { CancelledError, type OutgoingCall } from "@sluice/core";
import { StreamError, type Half } from "@sluice/streams";
import type { DoorWaiter } from "./driver.ts";
import { codeOf, textOf } from "./stream-code.ts";

/** A call with a signal: before the answer it gives the call up, after it lets go of the streams in the result. */
export class SignalledCall implements DoorWaiter {
  readonly #signal: AbortSignal;
  readonly #receive: (half: Half) => unknown;
  readonly #resolve: (value: unknown) => void;
  readonly #reject: (error: Error) => void;
  #streams: Half[] = [];
  #onAbort: (() => void) | undefined;

  constructor(
    signal: AbortSignal,
    receive: (half: Half) => unknown,
    resolve: (value: unknown) => void,
    reject: (error: Error) => void,
  ) {
    this.#signal = signal;
    this.#receive = receive;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  watch(call: OutgoingCall | undefined, cancel: (call: OutgoingCall, error: Error) => void): void {
    if (call === undefined || call.state !== "waiting") return;
    const abort = (): void => cancel(call, cancelled(this.#signal));
    if (this.#signal.aborted) return abort(); // while the call was being sent
    this.#onAbort = abort;
    this.#signal.addEventListener("abort", abort, { once: true });
  }

  receive(half: Half): unknown {
    this.#streams.push(half);
    return this.#receive(half);
  }

  result(value: unknown): void {
    this.#unlisten();
    const streams = this.#streams.filter((half) => !half.isOver);
    if (streams.length > 0) govern(streams, this.#signal);
    this.#resolve(value);
  }

  error(error: Error): void {
    this.#unlisten();
    this.#reject(error);
  }

  #unlisten(): void {
    if (this.#onAbort !== undefined) this.#signal.removeEventListener("abort", this.#onAbort);
    this.#onAbort = undefined;
  }
}

/** Lets go of the streams when the signal aborts. Holds neither the call nor its result, so that handles can be collected. */
function govern(streams: readonly Half[], signal: AbortSignal): void {
  const onAbort = (): void => {
    const reason: unknown = signal.reason;
    const error = new StreamError(codeOf(reason), "us", "the call's signal aborted", { cause: reason });
    for (const half of streams)
      if (half.kind === "send") half.reset(error.code, textOf(reason), "us", { cause: reason });
      else half.stop(error.code, textOf(reason), error);
  };
  let open = streams.length;
  for (const half of streams)
    half.onReleased = (): void => {
      if (--open === 0) signal.removeEventListener("abort", onAbort);
    };
  signal.addEventListener("abort", onAbort, { once: true });
}

/** The error of a call whose signal has aborted. */
export function cancelled(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return reason instanceof CancelledError
    ? reason
    : new CancelledError("the call was cancelled", { cause: reason });
}
