// Every bound of a session, with what happens at it. Nothing in Sluice queues or waits without one of these.
import { DECODE_LIMITS, type DecodeLimits } from "@sluice/codec";

const KiB = 1024;
const MiB = 1024 * KiB;

export interface Limits extends DecodeLimits {
  /** Bytes of one item of an object stream. Above: that stream ends with code 2 (S6). Default: `message`. */
  readonly item: number;
  /** Streams the peer may have open by mention. Beyond: the message that mentions them is answered -32013 (S14). */
  readonly streams: number;
  /** Bytes; the first window of every stream the peer writes, 4 KiB to 16 MiB (H1). */
  readonly window: number;
  /** Bytes a window may grow to while its reader keeps up. */
  readonly windowMax: number;
  /** Bytes: all windows together grow by no more, and beyond so much unread no request with streams runs (S14, S6a). */
  readonly unread: number;
  /** Bytes that may wait in one stream's writer, or to be sent at all, before writer or notifier are asked to wait. */
  readonly highWater: number;
  /** The peer's calls that run at once. Beyond: they wait, in order. */
  readonly calls: number;
  /** The peer's calls and notifications that wait. Beyond: answered -32012; notifications are dropped and counted. */
  readonly waiting: number;
  /** Bytes of messages that wait. Beyond: as `waiting`. */
  readonly waitingBytes: number;
  /** Messages that wait because the continuation of an answer runs before them. Beyond: reading pauses until half are gone. */
  readonly held: number;
  /** Bytes of such messages. Beyond: as `held`. */
  readonly heldBytes: number;
  /** Our calls without an answer. Beyond: refused here, before anything is sent. */
  readonly pending: number;
  /** Bytes of unsent answers and control. Beyond: the session closes, -32013 (L4). Our calls are refused at half of it. */
  readonly outbox: number;
  /** Stops and resets a second, ours forced by the peer included. Beyond: the session closes (C7). */
  readonly resets: number;
  /** A second: messages that are none, answers nobody waits for, frames for streams that are gone. Beyond: closes (S13). */
  readonly faults: number;
  /** ms from start to the end of the greeting. Then the session closes (H6). */
  readonly greeting: number;
  /** ms from a ping to any byte from the peer. Then the session closes (L5). */
  readonly ping: number;
  /** ms a handler may run. Then its signal aborts and the call is answered -32800 (C5). Default: without end. */
  readonly handler: number;
  /** ms that running handlers and writers have after the peer's end of input (L2). */
  readonly grace: number;
  /** ms from drain to the end of the session (C6). */
  readonly drain: number;
  /** ms from close until the transport is given up (L6). */
  readonly close: number;
}

export const LIMITS: Limits = {
  ...DECODE_LIMITS,
  item: DECODE_LIMITS.message,
  streams: 1024,
  window: 256 * KiB,
  windowMax: 16 * MiB,
  unread: 64 * MiB,
  highWater: 256 * KiB,
  calls: 256,
  waiting: 4096,
  waitingBytes: 16 * MiB,
  held: 1024,
  heldBytes: 4 * MiB,
  pending: 65_536,
  outbox: 32 * MiB,
  resets: 20_000,
  faults: 100,
  greeting: 10_000,
  ping: 20_000,
  handler: Number.POSITIVE_INFINITY,
  grace: 5_000,
  drain: 30_000,
  close: 5_000,
};

/** @throws RangeError that names the limit which is not a number in its range. */
export function withDefaults(given: Partial<Limits> = {}): Limits {
  const limits: Limits = {
    ...LIMITS,
    ...(given.message === undefined ? {} : { item: given.message }),
    ...given,
  };
  for (const [name, value] of Object.entries(limits) as [keyof Limits, number][])
    if (!(value > 0)) throw new RangeError(`limits.${name} must be above 0, not ${value}`);
  if (!Number.isInteger(limits.window) || limits.window < 4 * KiB || limits.window > 16 * MiB)
    throw new RangeError(`limits.window must be 4 KiB to 16 MiB, not ${limits.window} (H1)`);
  return limits;
}
