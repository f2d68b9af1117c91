// R1, R3: frames into bytes, gathered so that a turn of the session is one write. Small payloads are copied into a slab
// beside their descriptors; a large one is passed on as it is. A slab is never written twice, for the transport owns
// what it was given; so what is not written in it is 0.
import { DESCRIPTOR, INLINE, INLINE_SLOT, PREFIX, type Frame } from "./frame.ts";

/** What differs from a frame of nothing. */
export type FrameHead = Pick<Frame, "channel" | "method" | "flags"> &
  Partial<Pick<Frame, "message" | "credit" | "deadline">>;

const SLAB = 16 * 1024;
/** Payloads up to this size are copied: a chunk of its own costs more than the copy. */
const COPY = 2 * 1024;

export class FrameWriter {
  readonly #unit: "bytes" | "messages";
  readonly #allocate: (bytes: number) => Uint8Array;
  #slab: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(this.#slab.buffer);
  #start = 0;
  #end = 0;
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #frames = 0;

  /** @param allocate memory for a message that has to be copied as a whole; it may have been used before. Default: new */
  constructor(unit: "bytes" | "messages", allocate?: (bytes: number) => Uint8Array) {
    this.#unit = unit;
    this.#allocate = allocate ?? ((bytes): Uint8Array => new Uint8Array(bytes));
  }

  /** Bytes gathered since the last `take`. */
  get length(): number {
    return this.#bytes + this.#end - this.#start;
  }

  /** Frames gathered since the last `take`. */
  get frames(): number {
    return this.#frames;
  }

  /** Everything gathered, to be written in one go; empties the writer. */
  take(): Uint8Array[] {
    this.#cut();
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#bytes = 0;
    this.#frames = 0;
    return chunks;
  }

  /** The payload's memory is the writer's from now on. */
  frame(head: FrameHead, payload: Uint8Array): void {
    this.#frames++;
    if (this.#unit === "bytes") this.#framed(head, payload);
    else this.#message(head, payload);
  }

  #framed(head: FrameHead, payload: Uint8Array): void {
    const { length } = payload;
    const copied = length <= COPY;
    this.#reserve(PREFIX + DESCRIPTOR + (copied ? length : 0));
    this.#view.setUint32(this.#end, DESCRIPTOR + length, true);
    this.#end += PREFIX;
    writeDescriptor(this.#slab, this.#view, this.#end, head, payload);
    this.#end += DESCRIPTOR;
    if (copied) {
      this.#slab.set(payload, this.#end);
      this.#end += length;
    } else this.#whole(payload);
  }

  #message(head: FrameHead, payload: Uint8Array): void {
    const size = DESCRIPTOR + payload.length;
    if (size <= COPY) {
      this.#cut();
      this.#reserve(size);
      writeDescriptor(this.#slab, this.#view, this.#end, head, payload);
      this.#slab.set(payload, this.#end + DESCRIPTOR);
      this.#end += size;
      return;
    }
    const whole = this.#allocate(size);
    whole.fill(0, 0, DESCRIPTOR);
    writeDescriptor(whole, new DataView(whole.buffer, whole.byteOffset, DESCRIPTOR), 0, head, payload);
    whole.set(payload, DESCRIPTOR);
    this.#whole(whole);
  }

  // A chunk of its own.
  #whole(bytes: Uint8Array): void {
    this.#cut();
    this.#chunks.push(bytes);
    this.#bytes += bytes.length;
  }

  #reserve(bytes: number): void {
    if (this.#end + bytes <= this.#slab.length) return;
    this.#cut();
    this.#slab = new Uint8Array(SLAB);
    this.#view = new DataView(this.#slab.buffer);
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

// Into memory that is 0.
function writeDescriptor(
  into: Uint8Array,
  view: DataView,
  at: number,
  head: FrameHead,
  payload: Uint8Array,
): void {
  const { message = 0, credit = 0, deadline } = head;
  // As published peers write an error: its payload is never said to be inline, however short.
  const inline = payload.length <= INLINE && (head.flags & ERROR) === 0;
  view.setUint32(at, message, true);
  if (message > 0xffff_ffff) view.setUint32(at + 4, message / 2 ** 32, true);
  view.setUint32(at + 8, head.channel, true);
  view.setUint32(at + 12, head.method, true);
  if (inline) view.setUint32(at + 16, INLINE_SLOT, true);
  view.setUint32(at + 28, payload.length, true);
  view.setUint32(at + 32, head.flags, true);
  view.setUint32(at + 36, credit, true);
  view.setBigUint64(at + 40, deadline ?? NO_DEADLINE, true);
  if (inline) into.set(payload, at + 48);
}

const ERROR = 0x10;
const NO_DEADLINE = 0xffff_ffff_ffff_ffffn;
