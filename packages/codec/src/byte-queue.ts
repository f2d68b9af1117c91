import { decodeUtf8 } from "./utf8.ts";

/**
 * Bytes that have arrived and not been read, as the chunks they came in.
 * What is taken is a view where it lies in one chunk, and a copy only where it spans several.
 */
export class ByteQueue {
  #head: Uint8Array = EMPTY;
  #at = 0;
  #rest: Uint8Array[] = [];
  #length = 0;
  #gather: Uint8Array = EMPTY;
  #gathered = 0;
  // What was gathered last: it grows as long as nothing has come after it.
  #piece: Uint8Array = EMPTY;

  get length(): number {
    return this.#length;
  }

  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const chunk = plain(bytes);
    if (this.#length === 0) {
      this.#head = chunk;
      this.#at = 0;
      this.#gather = EMPTY;
      this.#gathered = 0;
      this.#piece = EMPTY;
    } else if (chunk.length >= SMALL) {
      this.#rest.push(chunk);
    } else this.#append(chunk);
    this.#length += chunk.length;
  }

  // Small chunks of one long message are gathered, or a peer that sends single bytes would cost a hundred for each.
  #append(chunk: Uint8Array): void {
    if (this.#gathered + chunk.length > this.#gather.length) {
      this.#gather = new Uint8Array(Math.min(GATHER_MAX, Math.max(GATHER_MIN, 2 * this.#gather.length)));
      this.#gathered = 0;
      this.#piece = EMPTY;
    }
    this.#gather.set(chunk, this.#gathered);
    const last = this.#rest.at(-1) ?? this.#head;
    const longer = last === this.#piece;
    const start = longer ? last.byteOffset : this.#gathered;
    this.#gathered += chunk.length;
    this.#piece = this.#gather.subarray(start, this.#gathered);
    if (!longer) this.#rest.push(this.#piece);
    else if (this.#rest.length === 0) this.#head = this.#piece;
    else this.#rest[this.#rest.length - 1] = this.#piece;
  }

  /** The byte `offset` from the front, which must be there. */
  at(offset: number): number {
    const at = this.#at + offset;
    if (at < this.#head.length) return this.#head[at]!;
    let left = at - this.#head.length;
    for (const chunk of this.#rest) {
      if (left < chunk.length) return chunk[left]!;
      left -= chunk.length;
    }
    throw new RangeError("past the end of the queue");
  }

  /** Big-endian u32 at `offset`. */
  u32(offset: number): number {
    const at = this.#at + offset;
    const head = this.#head;
    if (at + 4 <= head.length)
      return ((head[at]! << 24) | (head[at + 1]! << 16) | (head[at + 2]! << 8) | head[at + 3]!) >>> 0;
    return (
      ((this.at(offset) << 24) |
        (this.at(offset + 1) << 16) |
        (this.at(offset + 2) << 8) |
        this.at(offset + 3)) >>>
      0
    );
  }

  /** Where `byte` first is, counted from the front, at or after `from`; -1 if it is not there. */
  indexOf(byte: number, from: number = 0): number {
    const inHead = this.#head.indexOf(byte, this.#at + from);
    if (inHead !== -1) return inHead - this.#at;
    let before = this.#head.length - this.#at;
    for (const chunk of this.#rest) {
      const start = Math.max(0, from - before);
      if (start < chunk.length) {
        const found = chunk.indexOf(byte, start);
        if (found !== -1) return before + found;
      }
      before += chunk.length;
    }
    return -1;
  }

  /** What of the first chunk ends with its last `byte`, left where it is; empty where there is none. */
  upToLast(byte: number): Uint8Array {
    const end = this.#head.lastIndexOf(byte) + 1;
    return end <= this.#at ? EMPTY : this.#head.subarray(this.#at, end);
  }

  /** Puts bytes back to the front. */
  unshift(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    if (this.#length > 0) this.#rest.unshift(this.#head.subarray(this.#at));
    this.#head = bytes;
    this.#at = 0;
    this.#length += bytes.length;
  }

  /** Removes `n` bytes, which must be there, and returns them. */
  take(n: number): Uint8Array {
    const end = this.#at + n;
    if (end <= this.#head.length) {
      const view = this.#head.subarray(this.#at, end);
      this.#advance(n);
      return view;
    }
    if (n > this.#length) throw new RangeError("past the end of the queue");
    const bytes = new Uint8Array(n);
    for (let filled = 0; filled < n;) {
      const part = this.takeSome(n - filled);
      bytes.set(part, filled);
      filled += part.length;
    }
    return bytes;
  }

  /** Removes up to `n` bytes that lie in one chunk: never a copy, never empty while there are bytes. */
  takeSome(n: number): Uint8Array {
    const view = this.#head.subarray(this.#at, this.#at + Math.min(n, this.#head.length - this.#at));
    this.#advance(view.length);
    return view;
  }

  /** Removes `n` bytes, or as many as there are. */
  discard(n: number): void {
    let left = Math.min(n, this.#length);
    while (left > 0) {
      const here = Math.min(left, this.#head.length - this.#at);
      this.#advance(here);
      left -= here;
    }
  }

  /** The first `n` bytes, which must be there, as text, left where they are; undefined where they are not UTF-8. */
  text(n: number): string | undefined {
    const end = this.#at + n;
    return end <= this.#head.length ? decodeUtf8(this.#head, this.#at, end) : decodeUtf8(this.peek(n));
  }

  /** The first `n` bytes, or as many as there are, left where they are. */
  peek(n: number): Uint8Array {
    const end = this.#at + Math.min(n, this.#length);
    if (end <= this.#head.length) return this.#head.subarray(this.#at, end);
    const bytes = new Uint8Array(end - this.#at);
    bytes.set(this.#head.subarray(this.#at));
    let filled = this.#head.length - this.#at;
    for (const chunk of this.#rest) {
      if (filled === bytes.length) break;
      const part = chunk.subarray(0, bytes.length - filled);
      bytes.set(part, filled);
      filled += part.length;
    }
    return bytes;
  }

  #advance(n: number): void {
    this.#at += n;
    this.#length -= n;
    if (this.#at < this.#head.length) return;
    this.#head = this.#rest.shift() ?? EMPTY;
    this.#at = 0;
  }
}

// Node's Buffer takes four times as long to make a view.
function plain(bytes: Uint8Array): Uint8Array {
  return bytes.constructor === Uint8Array
    ? bytes
    : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const EMPTY = new Uint8Array(0);
const SMALL = 1024;
const GATHER_MIN = 4 * 1024;
const GATHER_MAX = 1024 * 1024;
