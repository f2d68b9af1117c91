// R6: a method's number is the FNV-1a hash of its name, of 64 bits, its halves folded into one another.

const encoder = new TextEncoder();
const PRIME_LOW = 0x1b3;

/**
 * The number of `Service.method`, spelt as in Rust. 0 is no method's: it marks answers and chunks.
 * @throws RangeError for a name whose hash is 0
 */
export function methodId(name: string): number {
  // The basis cbf29ce484222325 and the prime 100000001b3 in halves: a product of 32 and 9 bits is exact in a number.
  let high = 0xcbf29ce4;
  let low = 0x84222325;
  for (const byte of encoder.encode(name)) {
    low = (low ^ byte) >>> 0;
    const product = low * PRIME_LOW;
    const carry = Math.floor(product / 2 ** 32);
    high = (high * PRIME_LOW + carry + low * 2 ** 8) % 2 ** 32;
    low = product >>> 0;
  }
  const id = (high ^ low) >>> 0;
  if (id === 0)
    throw new RangeError(`the hash of "${name}" is 0, which is no method's: rename the method (R6)`);
  return id;
}
