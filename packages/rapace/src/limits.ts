// Every bound of a session, with what happens at it. Nothing queues or waits without one of these.

const KiB = 1024;
const MiB = 1024 * KiB;

export interface Limits {
  /** Bytes of one frame's payload. A longer one that comes ends the session before it is buffered (R2); ours is refused. */
  readonly frame: number;
  /** Our calls without an answer. Beyond: refused here, nothing is sent. */
  readonly pending: number;
  /** ms that a call without a timeout of its own waits. Published peers leave some calls unanswered. */
  readonly call: number;
  /** The peer's requests that run at once. Beyond: they wait, in order. */
  readonly running: number;
  /** The peer's requests that wait. Beyond: answered ResourceExhausted; notifications are dropped and counted. */
  readonly waiting: number;
  /** Bytes of requests that wait. Beyond: as `waiting`. */
  readonly waitingBytes: number;
  /** Tunnels and streams that are open. Beyond: refused here. */
  readonly tunnels: number;
  /** Chunks of one tunnel that wait to be read. Beyond: what its policy says. */
  readonly tunnelChunks: number;
  /** Bytes of one tunnel that wait to be read. Beyond: what its policy says. */
  readonly tunnelBytes: number;
  /** Bytes that wait in all tunnels. Beyond: of those whose policy is `fail`, the one that holds most fails. */
  readonly unread: number;
  /** Channels that have sent chunks before anybody registered them. Beyond: the oldest fails, when it is registered. */
  readonly early: number;
  /** Chunks of one such channel. Beyond: it fails, after what has come, when it is registered. */
  readonly earlyChunks: number;
  /** Bytes of all such channels. Beyond: the one that holds most fails, when it is registered. */
  readonly earlyBytes: number;
  /** Channels that are over and remembered, so that what still comes for them is dropped. Beyond: the oldest is forgotten. */
  readonly remembered: number;
  /** Bytes written to one tunnel and not sent before its writer waits. */
  readonly highWater: number;
  /** Bytes a peer that has credit may send on one tunnel unread, each chunk counted with 32 more. */
  readonly window: number;
  /** Bytes of unsent answers and control. Beyond: the session ends. Our calls are refused at half of it. */
  readonly outbox: number;
  /** Frames a second that have no meaning where they come. Beyond: the session ends. */
  readonly faults: number;
  /** ms from `close` until the transport is given up. */
  readonly close: number;
}

export const LIMITS: Limits = {
  frame: 16 * MiB,
  pending: 8192,
  call: 30_000,
  running: 256,
  waiting: 4096,
  waitingBytes: 16 * MiB,
  tunnels: 4096,
  tunnelChunks: 8192,
  tunnelBytes: 16 * MiB,
  unread: 64 * MiB,
  early: 256,
  earlyChunks: 1024,
  earlyBytes: 4 * MiB,
  remembered: 8192,
  highWater: 256 * KiB,
  window: 256 * KiB,
  outbox: 32 * MiB,
  faults: 100,
  close: 5_000,
};

/** @throws RangeError that names the limit which is not above 0, or too large for the wire. */
export function withDefaults(given: Partial<Limits> = {}): Limits {
  const limits: Limits = { ...LIMITS, ...given };
  for (const [name, value] of Object.entries(limits) as [keyof Limits, number][])
    if (!(value > 0)) throw new RangeError(`limits.${name} must be above 0, not ${value}`);
  if (limits.frame > LARGEST)
    throw new RangeError(`limits.frame must be at most ${LARGEST}, not ${limits.frame}`);
  if (!Number.isInteger(limits.window) || limits.window > LARGEST)
    throw new RangeError(`limits.window must be a whole number of at most ${LARGEST}, not ${limits.window}`);
  return limits;
}

/** What a u32 length can say beside the descriptor. */
const LARGEST = 0xffff_ffff - 64;
