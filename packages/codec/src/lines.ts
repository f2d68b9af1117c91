// NDJSON: one message per line. A line that is bad is one bad message and nothing more, so every error here but an
// endless one can be skipped: the next LF is a fresh start.
//
// The lines of a chunk are decoded together and cut as text: 20 ns a line, where to decode each by itself takes 160. Only
// where they are not all UTF-8, or one may be too long, each is looked at alone.
import type { ByteQueue } from "./byte-queue.ts";
import { DecodeError, ErrorCode } from "./error.ts";
import type { Framing } from "./framing.ts";
import type { DecodeLimits } from "./limits.ts";
import { decodeUtf8, utf8Length } from "./utf8.ts";

const LF = 0x0a;
const CR = 0x0d;
const BOM = [0xef, 0xbb, 0xbf] as const;
const NOTHING: Uint8Array = new Uint8Array(0);

export class Lines implements Framing {
  readonly name: string = "ndjson";
  readonly suffix: string = "\n";
  readonly #max: number;
  #scanned = 0;
  #skipping = false;
  #first = true;
  // Lines that have been taken together, and how far they have been read.
  #block: Uint8Array = NOTHING;
  #text = "";
  #at = 0;
  // Bytes whose lines are not to be taken together.
  #alone = 0;

  constructor(limits: Pick<DecodeLimits, "message">) {
    this.#max = limits.message;
  }

  get partial(): boolean {
    return this.#skipping;
  }

  prefix(): string {
    return "";
  }

  /** Blank lines are passed over in silence; a CR before the LF belongs to the line's end. */
  read(input: ByteQueue): string | DecodeError | undefined {
    for (;;) {
      if (this.#at < this.#text.length || this.#takeBlock(input)) {
        const line = this.#nextOfBlock();
        if (line.length > 0) return line;
        continue;
      }
      const end = input.indexOf(LF, this.#scanned);
      if (end === -1) return this.#wait(input);
      this.#scanned = 0;
      this.#alone = Math.max(0, this.#alone - end - 1);
      if (this.#skipping) {
        input.discard(end + 1);
        this.#skipping = false;
        continue;
      }
      if (end > this.#max) {
        const error = this.#tooLong(input);
        input.discard(end + 1);
        return error;
      }
      const line = this.#trim(input.take(end + 1));
      if (line.length === 0) continue;
      const text = decodeUtf8(line);
      return text ?? new DecodeError("RFC 8259 8.1", ErrorCode.parse, "not UTF-8", { input: line });
    }
  }

  /** What is left of the lines that were taken together. */
  unread(): Uint8Array {
    const left = utf8Length(this.#text.slice(this.#at));
    const bytes = this.#block.subarray(this.#block.length - left);
    this.#drop();
    return bytes;
  }

  // The whole lines of the first chunk.
  #takeBlock(input: ByteQueue): boolean {
    if (this.#alone > 0 || this.#scanned > 0 || this.#first || this.#skipping) return false;
    const block = input.upToLast(LF);
    if (block.length === 0) return false;
    const text = block.length <= this.#max ? decodeUtf8(block) : undefined;
    if (text === undefined) {
      this.#alone = block.length;
      return false;
    }
    input.discard(block.length);
    this.#block = block;
    this.#text = text;
    return true;
  }

  #nextOfBlock(): string {
    const text = this.#text;
    const start = this.#at;
    const end = text.indexOf("\n", start);
    const line = text.slice(start, end > start && text.charCodeAt(end - 1) === CR ? end - 1 : end);
    if (end + 1 < text.length) this.#at = end + 1;
    else this.#drop();
    return line;
  }

  #drop(): void {
    this.#block = NOTHING;
    this.#text = "";
    this.#at = 0;
  }

  #trim(line: Uint8Array): Uint8Array {
    let end = line.length - 1;
    if (end > 0 && line[end - 1] === CR) end--;
    const start = this.#first && BOM.every((byte, i) => line[i] === byte) ? BOM.length : 0;
    this.#first = false;
    return line.subarray(start, end);
  }

  // Nothing above the limit is kept: what has been read of an endless line is dropped until its end.
  #wait(input: ByteQueue): DecodeError | undefined {
    if (!this.#skipping && input.length <= this.#max) {
      this.#scanned = input.length;
      return undefined;
    }
    const error = this.#skipping ? undefined : this.#tooLong(input);
    this.#skipping = true;
    this.#scanned = 0;
    input.discard(input.length);
    return error;
  }

  #tooLong(input: ByteQueue): DecodeError {
    this.#first = false;
    const message = `line longer than ${this.#max} bytes`;
    return new DecodeError("limits.message", ErrorCode.invalidRequest, message, { input: input.peek(80) });
  }
}
