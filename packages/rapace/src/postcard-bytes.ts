// Bytes read and written by postcard's rules. Reading is bounded: no count is believed that the bytes behind it cannot be.
import { decodeUtf8 } from "@sluice/codec";

/** Bytes that are no value of a type, or a value that a type cannot write. `path` says where, as `a.0.b`. */
export class PostcardError extends Error {
  readonly _tag: "PostcardError" = "PostcardError";
  override readonly name: string = "PostcardError";
  readonly path: string;

  constructor(message: string, path: readonly PropertyKey[] = []) {
    const where = path.map(String).join(".");
    super(where === "" ? message : `${where}: ${message}`);
    this.path = where;
  }
}

/** Elements of sequences and maps in one value. Beyond: refused, before they are built. */
export const MAX_ELEMENTS: number = 1024 * 1024;

export class PostcardReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  #elements = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  byte(): number {
    this.#need(1);
    return this.#bytes[this.#at++]!;
  }

  /** An unsigned varint of at most `bits`, up to 32. */
  varint(bits: number): number {
    let value = 0;
    for (let shift = 0; shift < bits; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value < 2 ** bits ? value : fail(`larger than ${bits} bits`);
    }
    return fail(`a number longer than ${Math.ceil(bits / 7)} bytes`);
  }

  /** The same, up to 128. */
  bigVarint(bits: number): bigint {
    let value = 0n;
    for (let shift = 0; shift < bits; shift += 7) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << BigInt(shift);
      if (byte < 0x80) return value >> BigInt(bits) === 0n ? value : fail(`larger than ${bits} bits`);
    }
    return fail(`a number longer than ${Math.ceil(bits / 7)} bytes`);
  }

  float(size: 4 | 8): number {
    this.#need(size);
    const view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset + this.#at, size);
    const value = size === 4 ? view.getFloat32(0, true) : view.getFloat64(0, true);
    this.#at += size;
    return value;
  }

  /** A view. */
  bytes(): Uint8Array {
    const length = this.varint(32);
    this.#need(length);
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  text(): string {
    const bytes = this.bytes();
    return decodeUtf8(bytes) ?? fail("not UTF-8");
  }

  /** How many elements follow, each of at least `least` bytes. */
  count(least: number): number {
    const count = this.varint(32);
    this.elements(count);
    return count * least <= this.left ? count : fail("a count of more than there is");
  }

  elements(count: number): void {
    this.#elements += count;
    if (this.#elements > MAX_ELEMENTS) fail(`more than ${MAX_ELEMENTS} elements`);
  }

  #need(bytes: number): void {
    if (this.left < bytes) fail("it ends too soon");
  }
}

export function fail(message: string): never {
  throw new PostcardError(message);
}

const encoder = new TextEncoder();
const SHORT = 64;
// Most values are small: they are written into memory that is used again, and copied out once.
const SPARE = 1024;
let spare: Uint8Array | undefined;

export class PostcardWriter {
  #bytes: Uint8Array;
  #at = 0;

  constructor() {
    this.#bytes = spare ?? new Uint8Array(SPARE);
    spare = undefined;
  }

  /** What was written. Nothing may be written afterwards. */
  take(): Uint8Array {
    if (this.#bytes.length > SPARE) return this.#bytes.subarray(0, this.#at);
    spare = this.#bytes;
    return spare.slice(0, this.#at);
  }

  byte(value: number): void {
    this.#room(1);
    this.#bytes[this.#at++] = value;
  }

  varint(value: number): void {
    let left = value;
    for (; left > 0x7f; left = Math.floor(left / 128)) this.byte((left % 128) | 0x80);
    this.byte(left);
  }

  bigVarint(value: bigint): void {
    let left = value;
    for (; left > 0x7fn; left >>= 7n) this.byte(Number(left & 0x7fn) | 0x80);
    this.byte(Number(left));
  }

  float(value: number, size: 4 | 8): void {
    this.#room(size);
    const view = new DataView(this.#bytes.buffer, this.#at, size);
    if (size === 4) view.setFloat32(0, value, true);
    else view.setFloat64(0, value, true);
    this.#at += size;
  }

  bytes(value: Uint8Array): void {
    this.varint(value.length);
    this.#room(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
  }

  text(value: string): void {
    if (value.length > SHORT || !this.#ascii(value)) this.bytes(encoder.encode(value));
  }

  // Most names are short and ASCII: their units are their bytes.
  #ascii(value: string): boolean {
    this.#room(1 + value.length);
    for (let i = 0; i < value.length; i++) {
      const unit = value.charCodeAt(i);
      if (unit > 0x7f) return false;
      this.#bytes[this.#at + 1 + i] = unit;
    }
    this.#bytes[this.#at] = value.length;
    this.#at += 1 + value.length;
    return true;
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return;
    const more = new Uint8Array(Math.max(2 * this.#bytes.length, this.#at + bytes));
    more.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = more;
  }
}
