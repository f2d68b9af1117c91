// R1 to R4: frames out of bytes. On a transport of bytes they come behind a length; on one of messages each is a message.
// Nothing is waited for or allocated before the length has been looked at.
import { ByteQueue } from "@sluice/codec";
import { DESCRIPTOR, PREFIX, type Frame } from "./frame.ts";

/** Why bytes are no frame: nothing behind them can be trusted. */
export class FrameError extends Error {
  readonly _tag: "FrameError" = "FrameError";
  override readonly name: string = "FrameError";
  readonly rule: "R1" | "R2";
  /** `limit`: it may well be a frame, but larger than `limits.frame`. */
  readonly code: "protocol" | "limit";

  constructor(rule: "R1" | "R2", code: "protocol" | "limit", message: string) {
    super(`${message} (${rule})`);
    this.rule = rule;
    this.code = code;
  }
}

export class FrameReader {
  readonly #unit: "bytes" | "messages";
  readonly #max: number;
  readonly #input: ByteQueue = new ByteQueue();
  #message: Uint8Array | undefined;

  /** @param max bytes of the largest payload */
  constructor(unit: "bytes" | "messages", max: number) {
    this.#unit = unit;
    this.#max = max;
  }

  /** Bytes that have come; on a transport of messages one message, of which text is skipped (R1). */
  push(chunk: Uint8Array | string): void {
    if (typeof chunk === "string") return;
    if (this.#unit === "bytes") this.#input.push(chunk);
    else this.#message = chunk;
  }

  /** The next frame, an error after which there is none, or undefined: not all there yet. */
  next(): Frame | FrameError | undefined {
    return this.#unit === "bytes" ? this.#framed() : this.#whole();
  }

  /** R4: true in the middle of a frame, its length included: an end of input here has cut it. */
  get partial(): boolean {
    return this.#input.length > 0;
  }

  /** Bytes that wait for the rest of their frame. */
  get held(): number {
    return this.#input.length;
  }

  #framed(): Frame | FrameError | undefined {
    const input = this.#input;
    if (input.length < PREFIX) return undefined;
    const length = swap(input.u32(0));
    const error = this.#check(length);
    if (error !== undefined) return error;
    if (input.length < PREFIX + length) return undefined;
    input.discard(PREFIX);
    const head = input.take(DESCRIPTOR);
    return frameOf(head, input.take(length - DESCRIPTOR));
  }

  #whole(): Frame | FrameError | undefined {
    const message = this.#message;
    if (message === undefined) return undefined;
    this.#message = undefined;
    const error = this.#check(message.length);
    return error ?? frameOf(message, message.subarray(DESCRIPTOR));
  }

  #check(length: number): FrameError | undefined {
    if (length < DESCRIPTOR)
      return new FrameError(
        "R2",
        "protocol",
        `a frame of ${length} bytes is too small: a descriptor takes 64`,
      );
    const payload = length - DESCRIPTOR;
    if (payload > this.#max)
      return new FrameError(
        "R2",
        "limit",
        `a payload of ${payload} bytes, the limit is ${this.#max} (limits.frame)`,
      );
    return undefined;
  }
}

// R3: the payload is what follows the descriptor; what the descriptor says of its place and length is not looked at.
function frameOf(head: Uint8Array, payload: Uint8Array): Frame {
  const view = new DataView(head.buffer, head.byteOffset, DESCRIPTOR);
  const low = view.getUint32(40, true);
  const high = view.getUint32(44, true);
  return {
    message: view.getUint32(4, true) * 2 ** 32 + view.getUint32(0, true),
    channel: view.getUint32(8, true),
    method: view.getUint32(12, true),
    flags: view.getUint32(32, true),
    credit: view.getUint32(36, true),
    deadline: low === NONE && high === NONE ? undefined : (BigInt(high) << 32n) | BigInt(low),
    payload,
  };
}

const NONE = 0xffff_ffff;

// The queue reads big-endian.
function swap(n: number): number {
  return ((n << 24) | ((n & 0xff00) << 8) | ((n >>> 8) & 0xff00) | (n >>> 24)) >>> 0;
}
