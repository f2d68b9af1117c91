import type { Fault, SessionError } from "@sluice/core";
import type { Request } from "./requests.ts";

/** What the machine asks of whoever drives it. It has finished its own change of state by then. */
export interface Host {
  /** There is something to send: call `flush` soon, once for all that this turn produces; or `now`, for it is much. */
  wake(now: boolean): void;
  /** Stop reading the transport, and go on. What has been read is still taken. */
  pause(paused: boolean): void;
  /** The earliest deadline is now earlier. */
  schedule(): void;
  /** Run it, and answer it. Must not throw. */
  request(request: Request): void;
  fault(fault: Fault): void;
  /** The session is over and everything in it has been told. Flush once more, then let go of the transport. */
  ended(error: SessionError): void;
}

export interface CallParameters {
  /** ms; default `limits.call`. */
  readonly timeout?: number | undefined;
  readonly now: number;
  /** Chunks follow on the same channel. */
  readonly body?: boolean;
}
