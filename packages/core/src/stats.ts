import type { Core } from "./core.ts";

/** What a session holds. All zero once everything in it is over. */
export interface Stats {
  /** Our calls without an answer. */
  readonly calls: number;
  /** The peer's calls and notifications that run, and those that wait for their turn. */
  readonly handlers: number;
  readonly waiting: number;
  /** Streams somebody here holds. */
  readonly streams: number;
  /** Streams nobody here holds any more and whose end the peer still owes (S12). */
  readonly stopping: number;
  /** Bytes written to streams and not sent. */
  readonly queued: number;
  /** Bytes arrived in streams and not read. */
  readonly unread: number;
  /** Bytes of messages and control not sent. */
  readonly outbox: number;
  /** Bytes the peer may still send, and we may: over all open streams. */
  readonly granted: number;
  readonly credit: number;
  /** What the peer did wrong so far; never goes down. */
  readonly faults: number;
}

export function sumUp(core: Core, faults: number): Stats {
  let stopping = 0;
  let queued = 0;
  let granted = 0;
  let credit = 0;
  for (const half of core.streams.halves()) {
    if (half.kind === "send") {
      queued += half.queued;
      credit += half.window.available;
    } else if (half.state === "stopping") stopping++;
    else granted += half.window.granted - half.window.arrived;
  }
  return {
    calls: core.calls.pending,
    handlers: core.calls.running,
    waiting: core.calls.waiting,
    streams: core.streams.live,
    stopping,
    queued,
    unread: core.streams.unread,
    outbox: core.outbox.bytes,
    granted,
    credit,
    faults,
  };
}
