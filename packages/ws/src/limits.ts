/** Every bound of a WebSocket transport, with what happens at it. */
export interface WsLimits {
  /** Bytes of one message that arrives. Above: Close 1009 and the end. Default 16 MiB + 64 KiB. */
  readonly message: number;
  /** Fragments of one message (Node only; the other runtimes do not count). Above: Close 1008. Default 1024. */
  readonly fragments: number;
  /** Bytes handed over and not yet sent at which `write` says full. Default 1 MiB. */
  readonly highWater: number;
  /** Bytes kept for a user who has paused, where the runtime cannot stop the sender. Above: the end. Default 64 MiB. */
  readonly held: number;
  /** ms of silence answered with a ping; a second silence ends the transport (W5). Default 30 s; Infinity for never. */
  readonly heartbeat: number;
  /** ms the far end has to answer a Close, or to take more of what was sent before it. Then it is dropped. Default 5 s. */
  readonly close: number;
  /** ms a handshake may take. Then dialling fails, and a server on Node drops who has not asked. Default 10 s. */
  readonly handshake: number;
}

export const WS_LIMITS: WsLimits = {
  message: 16 * 1024 * 1024 + 64 * 1024,
  fragments: 1024,
  highWater: 1024 * 1024,
  held: 64 * 1024 * 1024,
  heartbeat: 30_000,
  close: 5000,
  handshake: 10_000,
};

/** @throws RangeError that names the limit which is not a number above 0. */
export function withDefaults(given: Partial<WsLimits> = {}): WsLimits {
  const limits = { ...WS_LIMITS, ...given };
  for (const [name, value] of Object.entries(limits))
    if (!(value > 0)) throw new RangeError(`limits.${name} must be above 0, not ${value}`);
  return limits;
}
