// Records are how bytes travel in a body (PROTOCOL.md, P1): a length, then as many bytes. They say two things a body
// alone cannot: "still here", and that a direction has ended rather than been cut. What they carry is passed on in the
// slices it came in: frames have lengths of their own, so nothing is put together twice.

/** Bytes a record may carry. */
export const RECORD_LIMIT: number = 16 * 1024 * 1024;

const HEAD = 4;
const END = 0xffff_ffff;
/** Up to this many bytes are copied behind their head; of more the head goes alone. */
const COPIED = 64 * 1024;

/** A record that says only "still here". */
export function stillHere(): Uint8Array {
  return new Uint8Array(HEAD);
}

/** A record that ends the direction. */
export function endRecord(): Uint8Array {
  return new Uint8Array(HEAD).fill(0xff);
}

/** Chunks, together at most `RECORD_LIMIT`, as one record: the pieces to be sent after each other. None for no bytes. */
export function encodeRecord(chunks: readonly Uint8Array[]): Uint8Array[] {
  const size = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  if (size === 0) return [];
  const pieces = size > COPIED ? [] : chunks;
  const head = new Uint8Array(HEAD + (size > COPIED ? 0 : size));
  new DataView(head.buffer).setUint32(0, size);
  let at = HEAD;
  for (const piece of pieces) {
    head.set(piece, at);
    at += piece.length;
  }
  return size > COPIED ? [head, ...chunks] : [head];
}

/** Reads records from a body cut anywhere. One for each body. */
export class RecordDecoder {
  /** `head`, `payload`: inside of one. `between`: a body may stop here. `broken`: see `problem`; nothing more is read. */
  #state: "between" | "head" | "payload" | "ended" | "broken" = "between";
  #problem = "";
  #headBytes = 0;
  #length = 0;

  get state(): "between" | "head" | "payload" | "ended" | "broken" {
    return this.#state;
  }

  /** Which rule was broken. */
  get problem(): string {
    return this.#problem;
  }

  /** What the bytes carry, as views of them, none of them empty. */
  decode(bytes: Uint8Array): Uint8Array[] {
    const slices: Uint8Array[] = [];
    let at = 0;
    while (at < bytes.length && this.#state !== "broken") {
      if (this.#state === "ended") {
        this.#break("bytes follow the record that ends the direction");
      } else if (this.#state === "payload") {
        const slice = bytes.subarray(at, at + this.#length);
        slices.push(slice);
        at += slice.length;
        this.#length -= slice.length;
        if (this.#length === 0) this.#state = "between";
      } else {
        this.#head(bytes[at++] as number);
      }
    }
    return slices;
  }

  #head(byte: number): void {
    this.#state = "head";
    this.#length = this.#length * 256 + byte;
    if (++this.#headBytes < HEAD) return;
    this.#headBytes = 0;
    const length = this.#length;
    if (length > 0 && length <= RECORD_LIMIT) {
      this.#state = "payload";
      return;
    }
    this.#length = 0;
    if (length === 0) this.#state = "between";
    else if (length === END) this.#state = "ended";
    else this.#break("a record is longer than 16 MiB");
  }

  #break(problem: string): void {
    this.#state = "broken";
    this.#problem = `P1: ${problem}`;
  }
}
