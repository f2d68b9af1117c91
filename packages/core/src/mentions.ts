// S2, S2a, S14: what a message that mentions streams does to the registry, before anything else is decided about it.
import { StreamCode, StreamError, type Half } from "@sluice/streams";
import { RpcError, SessionError } from "./error.ts";
import { ErrorCode } from "@sluice/codec";
import type { Limits } from "./limits.ts";
import { findMentions, type Slot } from "./mention-in.ts";
import type { Streams } from "./streams.ts";

/** A mention and its half; without one it was of a kind we do not know, and has been dropped. */
export interface FilledSlot extends Slot {
  readonly half: Half | undefined;
}

/** Opens our halves of what `holder[key]` mentions. A breach closes the session. */
export function register(
  streams: Streams,
  holder: Record<string, unknown>,
  key: string,
): readonly FilledSlot[] | SessionError {
  const slots = findMentions(holder, key);
  if (slots === undefined) return breach("S1", "malformed mention of a stream");
  const above = streams.highestPeers;
  const seen = new Set<number>();
  for (const { mention } of slots) {
    if (seen.has(mention.$stream) || !streams.mayMention(mention.$stream, above))
      return breach("S2", "a stream id that may not be mentioned");
    seen.add(mention.$stream);
  }
  return slots.map((slot) => ({ ...slot, half: open(streams, slot) }));
}

function open(streams: Streams, { mention }: Slot): Half | undefined {
  const known = mention.of === "bytes" || mention.of === "items";
  const half = streams.add(
    mention.$stream,
    mention.of === "items" ? "items" : "bytes",
    mention.by === "receiver",
  );
  if (known) return half;
  streams.drop(half, StreamCode.refused, "a stream of a kind that is not known here (S1)", true);
  return undefined;
}

/** S14: why a message with these streams, already registered, may not run. */
export function refusal(
  streams: Streams,
  slots: readonly FilledSlot[],
  limits: Limits,
): RpcError | undefined {
  if (slots.length === 0) return undefined;
  if (streams.openByPeer > limits.streams)
    return new RpcError(ErrorCode.limit, `more than ${limits.streams} streams open (S14)`);
  if (streams.unread > limits.unread)
    return new RpcError(ErrorCode.overloaded, "too much unread data for another stream (S14)");
  return undefined;
}

/** S2a: nobody will take these. `forced`: by the peer, as C7 counts it. */
export function dropAll(
  streams: Streams,
  slots: readonly FilledSlot[],
  code: number,
  forced: boolean = false,
): void {
  for (const { half } of slots) if (half !== undefined) streams.drop(half, code, "not wanted (S2a)", forced);
}

/** S14, in an answer: the call fails here. */
export function tooMany(limits: Limits): StreamError {
  return new StreamError(
    StreamCode.limit,
    "peer",
    `the answer mentions streams beyond ${limits.streams} (S14)`,
  );
}

function breach(rule: string, message: string): SessionError {
  return new SessionError("protocol", "peer", `${message} (${rule})`, { rule });
}
