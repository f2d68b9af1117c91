// Bytes that say where they belong: the byte at an offset follows from the offset, with a period that is a prime, so
// that a chunk lost, doubled or moved does not go unnoticed.
const PERIOD = 65521;
const table = new Uint8Array(PERIOD * 2);
for (let at = 0, state = 1; at < PERIOD; at++) {
  state = (state * 48271) % 0x7fffffff;
  table[at] = table[at + PERIOD] = state >>> 8;
}

/** `length` bytes as they are at `offset`, in memory of their own. */
export function pattern(offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const from = (offset + at) % PERIOD;
    const run = Math.min(PERIOD, length - at);
    bytes.set(table.subarray(from, from + run), at);
    at += run;
  }
  return bytes;
}

/** The offset of the first byte that is not as it should be, or -1. */
export function mismatch(offset: number, bytes: Uint8Array): number {
  let from = offset % PERIOD;
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at] !== table[from]) return offset + at;
    if (++from === PERIOD) from = 0;
  }
  return -1;
}
