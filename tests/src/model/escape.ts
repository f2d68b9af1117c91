// S1: how a user's own `$stream` and `$escape` keys travel. Twice: as the rule says, and by an earlier draft, which
// escaped an object with `$stream` as its only key, and loses values.

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const isObject = (value: Json): value is { [key: string]: Json } =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const each = (object: { [key: string]: Json }, change: (value: Json) => Json): { [key: string]: Json } =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));

export interface Escape {
  readonly write: (value: Json) => Json;
  readonly read: (value: Json) => Json;
}

export const RULE: Escape = {
  write(value) {
    if (Array.isArray(value)) return value.map(RULE.write);
    if (!isObject(value)) return value;
    const written = each(value, RULE.write);
    return "$stream" in value || "$escape" in value ? { $escape: written } : written;
  },
  read(value) {
    if (Array.isArray(value)) return value.map(RULE.read);
    if (!isObject(value)) return value;
    if ("$escape" in value) return each(value["$escape"] as { [key: string]: Json }, RULE.read);
    return "$stream" in value ? "a mention" : each(value, RULE.read);
  },
};

export const DRAFT: Escape = {
  write(value) {
    if (Array.isArray(value)) return value.map(DRAFT.write);
    if (!isObject(value)) return value;
    const written = each(value, DRAFT.write);
    const keys = Object.keys(value);
    return keys.length === 1 && keys[0] === "$stream" ? { $escape: written } : written;
  },
  read(value) {
    if (Array.isArray(value)) return value.map(DRAFT.read);
    if (!isObject(value)) return value;
    const keys = Object.keys(value);
    if (keys.length === 1 && keys[0] === "$escape") return value["$escape"]!;
    return "$stream" in value ? "a mention" : each(value, DRAFT.read);
  },
};

/** A value full of the keys that matter. */
export function trickyValue(below: (n: number) => number, depth: number = 0): Json {
  const kind = depth > 4 ? 0 : below(4);
  if (kind < 2) return below(3);
  if (kind === 2) return Array.from({ length: below(3) }, () => trickyValue(below, depth + 1));
  const object: { [key: string]: Json } = {};
  for (let n = below(3) + 1; n > 0; n--)
    object[["$stream", "$escape", "a", "of"][below(4)]!] = trickyValue(below, depth + 1);
  return object;
}
