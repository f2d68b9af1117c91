// R9: what is said on channel 0. The verb stands in the descriptor, and again in front of the payload's fields, which
// are postcard. Pings come without it, too.
import { decodeUtf8, printable } from "@sluice/codec";

export const VERB: {
  readonly openChannel: 1;
  readonly closeChannel: 2;
  readonly cancelChannel: 3;
  readonly grantCredits: 4;
  readonly ping: 5;
  readonly pong: 6;
} = { openChannel: 1, closeChannel: 2, cancelChannel: 3, grantCredits: 4, ping: 5, pong: 6 };

export type Control =
  /** Without a reason it is an orderly close. Channel 0 is the session. */
  | { readonly verb: "close"; readonly channel: number; readonly reason: string | undefined }
  | { readonly verb: "cancel"; readonly channel: number; readonly why: CancelReason }
  | { readonly verb: "grant"; readonly channel: number; readonly bytes: number }
  /** `pong`: what answers it, in the form it came in. */
  | { readonly verb: "ping"; readonly pong: Uint8Array }
  /** Means nothing here: `OpenChannel`, `Pong`, a verb that is not known. */
  | { readonly verb: "other" };

export type CancelReason = "client" | "deadline" | "exhausted";
const REASONS: readonly CancelReason[] = ["client", "deadline", "exhausted"];

/** What a control frame says, or undefined where its payload is not what its verb has. */
export function readControl(method: number, payload: Uint8Array): Control | undefined {
  const fields = new Fields(payload);
  switch (method) {
    case VERB.ping:
      return readPing(payload);
    case VERB.closeChannel: {
      const [index, channel, kind] = [fields.u32(), fields.u32(), fields.u32()];
      if (index !== 1 || channel === undefined || kind === undefined || kind > 1) return undefined;
      if (kind === 0) return { verb: "close", channel, reason: undefined };
      const reason = fields.text();
      return reason === undefined ? undefined : { verb: "close", channel, reason };
    }
    case VERB.cancelChannel: {
      const [index, channel, kind] = [fields.u32(), fields.u32(), fields.u32()];
      if (index !== 2 || channel === undefined || kind === undefined) return undefined;
      return { verb: "cancel", channel, why: REASONS[kind] ?? "client" };
    }
    case VERB.grantCredits: {
      const [index, channel, bytes] = [fields.u32(), fields.u32(), fields.u32()];
      return index !== 3 || channel === undefined || bytes === undefined
        ? undefined
        : { verb: "grant", channel, bytes };
    }
    default:
      return { verb: "other" };
  }
}

function readPing(payload: Uint8Array): Control | undefined {
  if (payload.length === 8) return { verb: "ping", pong: payload };
  if (payload.length !== 9 || payload[0] !== VERB.ping - 1) return undefined;
  const pong = payload.slice();
  pong[0] = VERB.pong - 1;
  return { verb: "ping", pong };
}

export function cancelPayload(channel: number, why: CancelReason): Uint8Array {
  return Uint8Array.from([VERB.cancelChannel - 1, ...varint(channel), REASONS.indexOf(why)]);
}

export function grantPayload(channel: number, bytes: number): Uint8Array {
  return Uint8Array.from([VERB.grantCredits - 1, ...varint(channel), ...varint(bytes)]);
}

export function closePayload(channel: number, reason: string): Uint8Array {
  const text = encoder.encode(reason.slice(0, 500));
  return Uint8Array.from([VERB.closeChannel - 1, ...varint(channel), 1, ...varint(text.length), ...text]);
}

const encoder = new TextEncoder();

function varint(value: number): number[] {
  const bytes: number[] = [];
  let left = value;
  for (; left > 0x7f; left = Math.floor(left / 128)) bytes.push((left % 128) | 0x80);
  bytes.push(left);
  return bytes;
}

class Fields {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  u32(): number | undefined {
    let value = 0;
    for (let scale = 1; scale <= 2 ** 28; scale *= 128) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) return undefined;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value <= 0xffff_ffff ? value : undefined;
    }
    return undefined;
  }

  /** Text for people, safe to print. */
  text(): string | undefined {
    const length = this.u32();
    if (length === undefined || length > this.#bytes.length - this.#at) return undefined;
    const text = decodeUtf8(this.#bytes, this.#at, this.#at + length);
    return text === undefined ? undefined : printable(text);
  }
}
