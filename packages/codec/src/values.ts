import { endOfString } from "./depth.ts";

/**
 * Whether JSON text holds more than `max` values. Looks at the text, so that a tree too large is never built.
 * Text shorter than 2 × max cannot and costs nothing; text that is not JSON may be counted anyhow.
 */
export function tooManyValues(text: string, max: number): boolean {
  if (text.length <= 2 * max) return false;
  let values = 1;
  for (let i = 0; i < text.length && values <= max; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) i = endOfString(text, i + 1);
    else if (code === COMMA) values++;
    else if ((code === BRACKET || code === BRACE) && !isEmpty(text, i, code + 2)) values++;
  }
  return values > max;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const BRACKET = 0x5b;
const BRACE = 0x7b;

// The closing bracket's code is the opening one's plus 2, for both kinds.
function isEmpty(text: string, at: number, closing: number): boolean {
  let next = at + 1;
  while (WHITESPACE.has(text.charCodeAt(next))) next++;
  return text.charCodeAt(next) === closing;
}

const WHITESPACE: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);

/** Whether an object of the text has a member twice. `value` is what the text was parsed to. */
export function hasDuplicateKeys(text: string, value: unknown): boolean {
  return colons(text) > members(value);
}

// Outside of strings, each member has one.
function colons(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) i = endOfString(text, i + 1);
    else if (code === COLON) count++;
  }
  return count;
}

const COLON = 0x3a;

function members(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const values = Object.values(value);
  let count = Array.isArray(value) ? 0 : values.length;
  for (const inner of values) count += members(inner);
  return count;
}
