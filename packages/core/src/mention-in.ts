// S1, incoming: finds the mentions in a value that JSON.parse has made, and where they stand, so that streams can be put
// in their place later. The value is changed in place: it belongs to nobody else.
import type { Mention } from "./mention-out.ts";

/** Where a mention stands. */
export interface Slot {
  readonly holder: Record<string | number, unknown>;
  readonly key: string | number;
  readonly mention: Omit<Mention, "of"> & { readonly of: string };
}

/** Whether a message's text can hold a mention or an escape. Keys are written without `\u` escapes (S1). */
export function mayMention(text: string): boolean {
  // One character is found many times faster than a word, and most messages have none.
  return text.includes("$") && (text.includes('"$stream"') || text.includes('"$escape"'));
}

/**
 * The slots in `holder[key]` and below, in the order they stand; undefined where a mention is malformed. Escapes are
 * undone: of an escaped object the keys are literal and the values are decoded.
 */
export function findMentions(
  holder: Record<string | number, unknown>,
  key: string | number,
): Slot[] | undefined {
  const slots: Slot[] = [];
  return visit(holder, key, slots) ? slots : undefined;
}

function visit(holder: Record<string | number, unknown>, key: string | number, slots: Slot[]): boolean {
  const value = holder[key];
  if (typeof value !== "object" || value === null) return true;
  if (Array.isArray(value)) return visitAll(value as unknown as Record<number, unknown>, value.keys(), slots);
  if (Object.hasOwn(value, "$escape")) {
    const inner = (value as { $escape: unknown }).$escape;
    if (typeof inner !== "object" || inner === null || Array.isArray(inner)) return false;
    holder[key] = inner;
    return visitAll(inner as Record<string, unknown>, Object.keys(inner), slots);
  }
  if (!Object.hasOwn(value, "$stream")) {
    return visitAll(value as Record<string, unknown>, Object.keys(value), slots);
  }
  if (!isMention(value)) return false;
  slots.push({ holder, key, mention: value });
  return true;
}

function visitAll(
  holder: Record<string | number, unknown>,
  keys: Iterable<string | number>,
  slots: Slot[],
): boolean {
  for (const key of keys) if (!visit(holder, key, slots)) return false;
  return true;
}

function isMention(value: object): value is Slot["mention"] {
  const { $stream, of, by } = value as Record<string, unknown>;
  return Number.isSafeInteger($stream) && typeof of === "string" && (by === "sender" || by === "receiver");
}
