// What streams carry: every byte and item can be told from its stream and its place in it, so that a reader knows what
// must come next without having been told.
import type { Random } from "./random.ts";

const PERIOD = 65_521;
const PATTERN: Uint8Array = pattern();
/** Bytes one write can have. */
export const LONGEST_CHUNK: number = PERIOD;

function pattern(): Uint8Array {
  const bytes = new Uint8Array(2 * PERIOD);
  let state = 1;
  for (let i = 0; i < PERIOD; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[i] = bytes[i + PERIOD] = state >>> 16;
  }
  return bytes;
}

/** The bytes of stream `id` from `offset` on. */
export function bytesOf(id: number, offset: number, length: number): Uint8Array {
  const from = (id * 7919 + offset) % PERIOD;
  return PATTERN.subarray(from, from + length);
}

/** The first place where `got` differs from the bytes of stream `id` from `offset` on; -1 where it does not. */
export function differs(id: number, offset: number, got: Uint8Array): number {
  let from = (id * 7919 + offset) % PERIOD;
  for (let i = 0; i < got.length; i++) {
    if (got[i] !== PATTERN[from]) return i;
    if (++from === PERIOD) from = 0;
  }
  return -1;
}

// Characters of one, two, three and four bytes, and such as JSON escapes.
const TEXT: string = 'stream é 漢字 😀 "quoted" back\\slash \u0001 \n tab\t ß € 𝄞 '.repeat(2000);

/** The JSON text of item `n` of stream `id`, of about `size` bytes. */
export function itemOf(id: number, n: number, size: number, random: Random): string {
  if (size < 8) return random.pick(["0", "null", "[]", `${n}`, '"é"', "true", "{}"]);
  const text = TEXT.slice(0, Math.max(1, size >> 1));
  const tag = id * 1000 + n;
  return JSON.stringify(
    random.pick<unknown>([`${tag}${text}`, { n: tag, text }, [tag, [text], { deep: [{}] }]]),
  );
}
