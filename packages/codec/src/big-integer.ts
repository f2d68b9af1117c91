// Integers that a number cannot hold. JSON has them, JSON.parse rounds them, and whoever passes a message on must not.

/** What newer runtimes can and TypeScript does not know yet (TC39: JSON.parse source text access). */
interface ExactJson {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context?: { readonly source?: string }) => unknown,
  ): unknown;
  rawJSON?(text: string): object;
  isRawJSON?(value: unknown): boolean;
}

const exact: ExactJson = JSON;

/** As JSON.parse, with integers past 2^53 as `JSON.rawJSON` objects; rounded where the runtime has none. */
export function parseExactly(text: string): unknown {
  // A reviver costs as much as all the rest: only where there may be such a number.
  if (exact.rawJSON === undefined || !/\d{16}/.test(text)) return JSON.parse(text);
  return exact.parse(text, keep);
}

function keep(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  const { source } = context ?? {};
  return source !== undefined && /^-?\d+$/.test(source) ? exact.rawJSON!(source) : value;
}

/** The value with the nearest numbers in the place of what `parseExactly` kept; the same where there is none. */
export function rounded(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (exact.isRawJSON?.(value) === true) return Number(JSON.stringify(value));
  if (Array.isArray(value)) {
    const items = value.map(rounded);
    return items.some((item, i) => item !== value[i]) ? items : value;
  }
  let changed: Record<string, unknown> | undefined;
  for (const [key, member] of Object.entries(value)) {
    const now = rounded(member);
    if (now !== member) (changed ??= { ...value })[key] = now;
  }
  return changed ?? value;
}
