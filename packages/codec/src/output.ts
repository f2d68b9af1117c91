// What is to be written, gathered so that a turn of the session is one write. Small things are copied into a slab;
// a large payload is passed on as it is. A slab is never written twice: the transport may hold on to what it was given.
import {
  END_FLAG,
  FRAME_TYPE,
  HEADER,
  ITEM_FLAG,
  MORE_FLAG,
  type ControlFrame,
  type DataFrame,
} from "./frame.ts";
import type { Framing } from "./framing.ts";
import { encodeUtf8Into } from "./utf8.ts";

/** A message transport's binary message holds up to this (F5). */
const SLAB = 64 * 1024;
/** Where chunk borders mean nothing: large ones cost more to make than they save, and are held longer. */
const SLAB_GATHERED = 16 * 1024;
/** Payloads up to this size are copied: a write of its own costs more than the copy. */
const COPY = 2 * 1024;
/** The same on a message transport, where all are copied: larger ones into memory that is used again. */
const COPY_MESSAGE = 16 * 1024;
const encoder = new TextEncoder();

export class Output {
  #slab: Uint8Array = new Uint8Array(0);
  #start = 0;
  #end = 0;
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  readonly #gathers: boolean;
  readonly #size: number;
  readonly #allocate: (bytes: number) => Uint8Array;

  /**
   * @param gathers chunk borders mean nothing, so that a payload may follow its header as a chunk of its own
   * @param allocate memory for a frame that has to be copied as a whole; it may have been used before. Default: new
   */
  constructor(gathers: boolean, allocate: (bytes: number) => Uint8Array = fresh) {
    this.#gathers = gathers;
    this.#allocate = allocate;
    this.#size = gathers ? SLAB_GATHERED : SLAB;
  }

  /** Bytes gathered since the last `take`. */
  get length(): number {
    return this.#bytes + this.#end - this.#start;
  }

  /** Everything gathered, to be written in one go; empties the output. */
  take(): Uint8Array[] {
    this.#cut();
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#bytes = 0;
    return chunks;
  }

  /** A JSON message with what the framing puts around it. */
  framed(text: string, framing: Framing): void {
    const { suffix } = framing;
    if (suffix !== "") {
      // One after the other: joined they would be copied once more.
      this.#text(text);
      return this.#ascii(suffix);
    }
    const body = encoder.encode(text);
    this.#text(framing.prefix(body.length));
    if (!this.#copied(body)) this.#whole(body);
  }

  /** A message frame. */
  message(text: string): void {
    const room = HEADER + text.length * 3; // UTF-8 takes at most three bytes for a UTF-16 unit
    if (room > this.#size) {
      const body = encoder.encode(text);
      this.#header(body.length, FRAME_TYPE.message, 0, 0);
      this.#payload(body);
      return;
    }
    this.#reserve(room);
    const at = this.#end;
    this.#end += HEADER;
    const written = encodeUtf8Into(text, this.#slab, this.#end);
    this.#end += written;
    writeHeader(this.#slab, at, written, FRAME_TYPE.message, 0, 0);
  }

  /** A data frame of a byte stream, or an item or part of one. */
  data(id: number, payload: Uint8Array, options: Pick<DataFrame, "item" | "more" | "end">): void {
    const flags =
      (options.end ? END_FLAG : 0) | (options.item ? ITEM_FLAG : 0) | (options.more ? MORE_FLAG : 0);
    this.#header(payload.length, FRAME_TYPE.data, flags, id);
    this.#payload(payload);
  }

  control(frame: Exclude<ControlFrame, DataFrame>): void {
    const type = FRAME_TYPE[frame.type];
    switch (frame.type) {
      case "end":
      case "grant":
        this.#header(8, type, 0, frame.id);
        return this.#u64(frame.offset);
      case "ping":
      case "pong":
        this.#header(8, type, 0, 0);
        return this.#hex(frame.token);
      default: {
        const { type: _, ...params } = frame;
        const id = "id" in params ? params.id : 0;
        const body = encoder.encode(JSON.stringify({ ...params, id: undefined }));
        this.#header(body.length, type, 0, id);
        this.#payload(body);
      }
    }
  }

  // Makes room for the payload too where it will be copied: header and payload must not part (F5).
  #header(length: number, type: number, flags: number, id: number): void {
    this.#reserve(this.#copies(length) ? HEADER + length : HEADER);
    writeHeader(this.#slab, this.#end, length, type, flags, id);
    this.#end += HEADER;
  }

  #text(text: string): void {
    if (text.length * 3 > this.#size) return this.#whole(encoder.encode(text));
    this.#reserve(text.length * 3);
    this.#end += encodeUtf8Into(text, this.#slab, this.#end);
  }

  // A few characters.
  #ascii(text: string): void {
    this.#reserve(text.length);
    for (let i = 0; i < text.length; i++) this.#slab[this.#end++] = text.charCodeAt(i);
  }

  // After a header.
  #payload(bytes: Uint8Array): void {
    if (this.#copied(bytes)) return;
    if (this.#gathers) this.#whole(bytes);
    else this.#join(bytes);
  }

  #copied(bytes: Uint8Array): boolean {
    if (!this.#copies(bytes.length)) return false;
    this.#reserve(bytes.length);
    this.#slab.set(bytes, this.#end);
    this.#end += bytes.length;
    return true;
  }

  // A chunk of its own.
  #whole(bytes: Uint8Array): void {
    this.#cut();
    this.#chunks.push(bytes);
    this.#bytes += bytes.length;
  }

  #copies(length: number): boolean {
    return length <= (this.#gathers ? COPY : COPY_MESSAGE);
  }

  // On a message transport a frame never spans two messages (F5): a payload larger than a slab gets one of its own,
  // together with the header just written.
  #join(bytes: Uint8Array): void {
    const head = this.#slab.subarray(this.#end - HEADER, this.#end);
    this.#end -= HEADER;
    const whole = this.#allocate(HEADER + bytes.length);
    whole.set(head);
    whole.set(bytes, HEADER);
    this.#whole(whole);
  }

  #u64(value: number): void {
    writeU32(this.#slab, this.#end, Math.floor(value / 2 ** 32));
    writeU32(this.#slab, this.#end + 4, value);
    this.#end += 8;
  }

  #hex(token: string): void {
    for (let i = 0; i < 16; i += 2) this.#slab[this.#end++] = Number.parseInt(token.slice(i, i + 2), 16);
  }

  // Makes room in one slab; what stands in a full one becomes a chunk.
  #reserve(bytes: number): void {
    if (this.#end + bytes <= this.#slab.length) return;
    this.#cut();
    this.#slab = new Uint8Array(Math.max(this.#size, bytes));
    this.#start = 0;
    this.#end = 0;
  }

  #cut(): void {
    if (this.#end === this.#start) return;
    this.#chunks.push(this.#slab.subarray(this.#start, this.#end));
    this.#bytes += this.#end - this.#start;
    this.#start = this.#end;
  }
}

function fresh(bytes: number): Uint8Array {
  return new Uint8Array(bytes);
}

function writeHeader(
  into: Uint8Array,
  at: number,
  length: number,
  type: number,
  flags: number,
  id: number,
): void {
  writeU32(into, at, length);
  into[at + 4] = type;
  into[at + 5] = flags;
  into[at + 6] = 0;
  into[at + 7] = 0;
  writeU32(into, at + 8, id);
}

function writeU32(into: Uint8Array, at: number, value: number): void {
  into[at] = value >>> 24;
  into[at + 1] = value >>> 16;
  into[at + 2] = value >>> 8;
  into[at + 3] = value;
}
