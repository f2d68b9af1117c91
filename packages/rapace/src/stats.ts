import type { Machine } from "./machine.ts";

/** What a session holds. All zero once everything in it is over, but for what it has counted. */
export interface Stats {
  /** Our calls without an answer. */
  readonly calls: number;
  /** The peer's requests that run, and those that wait for their turn. */
  readonly requests: number;
  readonly waiting: number;
  /** Directions of tunnels and streams that are not over. */
  readonly tunnels: number;
  /** Channels that have sent chunks and are not registered. */
  readonly early: number;
  /** Bytes written to tunnels and not sent, what chunks cost beside them included. */
  readonly queued: number;
  /** Bytes that have come in tunnels and wait to be read. */
  readonly unread: number;
  /** Bytes of requests, answers and control not sent. */
  readonly outbox: number;
  /** What the peer did wrong so far; never goes down. */
  readonly faults: number;
  /** Frames that came for channels that were over here; never goes down. */
  readonly late: number;
}

export function sumUp(machine: Machine): Stats {
  const { calls, requests, tunnels, outbox, faults, late } = machine;
  return {
    calls: calls.size,
    requests: requests.running,
    waiting: requests.waiting,
    tunnels: tunnels.open,
    early: tunnels.early.size,
    queued: tunnels.queued,
    unread: tunnels.unread + tunnels.early.bytes,
    outbox: outbox.bytes,
    faults,
    late,
  };
}
