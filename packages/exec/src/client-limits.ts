// Every bound of a client, with what happens at it.
const MiB = 1024 * 1024;

export interface ExecLimits {
  /** Bytes of one message, either way. Above: ours is refused, theirs ends the connection. Default 64 MiB. */
  readonly message: number;
  /**
   * Bytes of one message to a codex exec-server over a WebSocket (or whatever else carries messages): a larger one it
   * drops the connection for, and it is refused here. Default 16 MiB, the bound of its WebSockets' frames.
   */
  readonly codexFrame: number;
  /** Bytes of a body, from an executor that has streams, that may wait for their reader. Then its server is held back. Default 2 MiB; grows where the connection can hold more. */
  readonly window: number;
  /**
   * Characters of a notification about a body or a process (X7). Above: ends the connection, which is recovered as any.
   * Default 2 MiB: a piece of 1 MiB, as base64.
   */
  readonly event: number;
  /** Characters of any other notification, and of a call of the executor's. Above: as `event`. Default 8 KiB. */
  readonly notification: number;
  /** Calls without an answer. Beyond: refused; what lets go of something has 64 more. Default 1024. */
  readonly calls: number;
  /** ms from dialling to the end of the handshake. Then the connection is given up. Default 10 s. */
  readonly handshake: number;
  /** ms for `environment()`. Default 30 s. */
  readonly environment: number;
  /** ms for `status()`. Default 10 s. */
  readonly status: number;
  /**
   * Bytes of one output of a process that wait for their reader, 128 for each piece included. Beyond: no more are kept,
   * and they are asked for again once half is read. What the executor has no longer then is an error of that output.
   * Default 16 MiB.
   */
  readonly unread: number;
  /** Events of one process that wait for one before them. Beyond: the process is read afresh. Default 256. */
  readonly early: number;
  /** Bytes of such events. Beyond: as `early`. Default 1 MiB. */
  readonly earlyBytes: number;
  /** Bytes given to `write` of one process and not accepted. Beyond: refused. Default 16 MiB. */
  readonly unwritten: number;
  /** ms that closing a client takes at most to end the processes it has started. Default 2 s. */
  readonly close: number;
}

export const EXEC_LIMITS: ExecLimits = {
  message: 64 * MiB,
  // Beside calls a body over a WebSocket takes 568 MB/s, with 1 MiB 453, and the calls not longer.
  window: 2 * MiB,
  codexFrame: 16 * MiB,
  event: 2 * MiB,
  notification: 8 * 1024,
  calls: 1024,
  handshake: 10_000,
  environment: 30_000,
  status: 10_000,
  unread: 16 * MiB,
  early: 256,
  earlyBytes: MiB,
  unwritten: 16 * MiB,
  close: 2000,
};

/** @throws RangeError that names the limit which is not a number above 0. */
export function withDefaults(given: Partial<ExecLimits> = {}): ExecLimits {
  const limits = { ...EXEC_LIMITS, ...given };
  for (const [name, value] of Object.entries(limits))
    if (!(value > 0)) throw new RangeError(`limits.${name} must be above 0, not ${value}`);
  return limits;
}
