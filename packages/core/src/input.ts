// From chunks to what they hold, in whichever encoding is being spoken: JSON messages framed by lines or headers, whole
// messages, or binary frames. H3 switches in the middle of a chunk.
import {
  ByteQueue,
  DecodeError,
  decodeUtf8,
  ErrorCode,
  FrameReader,
  type ControlFrame,
  type DecodeLimits,
  type Framing,
} from "@sluice/codec";

/** The text of a message, a frame, or an error. */
export type Unit = string | ControlFrame | DecodeError;

export class Input {
  readonly #queue: ByteQueue = new ByteQueue();
  readonly #framing: Framing | undefined;
  readonly #limits: DecodeLimits;
  // The whole message that has just arrived (message transports only).
  #text: string | DecodeError | undefined;
  #frames: FrameReader | undefined;

  /** @param framing undefined on a transport that carries whole messages */
  constructor(framing: Framing | undefined, limits: DecodeLimits) {
    this.#framing = framing;
    this.#limits = limits;
  }

  /** H3: from the next byte on it is frames. */
  switchToFrames(): void {
    if (this.#frames !== undefined) return;
    this.#frames = new FrameReader(this.#limits);
    const unread = this.#framing?.unread?.();
    if (unread !== undefined) this.#queue.unshift(unread);
  }

  get speaksFrames(): boolean {
    return this.#frames !== undefined;
  }

  /** Whether the end of input, now, would cut something. */
  get partial(): boolean {
    return this.#queue.length > 0 || (this.#frames ?? this.#framing)?.partial === true;
  }

  /** What has arrived; to be followed by `next` until it has no more. */
  push(chunk: Uint8Array | string): void {
    if (typeof chunk !== "string" && (this.#framing !== undefined || this.#frames !== undefined))
      this.#queue.push(chunk);
    else this.#text = this.#whole(chunk);
  }

  /** The next thing that has arrived whole. */
  next(): Unit | undefined {
    if (this.#text !== undefined) {
      const text = this.#text;
      this.#text = undefined;
      return text;
    }
    if (this.#frames === undefined) return this.#framing?.read(this.#queue);
    return this.#frames.read(this.#queue);
  }

  /** F5: on a message transport no frame spans two messages. To be asked once `next` has nothing more. */
  get spans(): boolean {
    return this.#framing === undefined && this.partial;
  }

  #whole(chunk: Uint8Array | string): string | DecodeError {
    if (this.#frames !== undefined)
      return new DecodeError("H3", ErrorCode.invalidRequest, "text after the switch to frames", {
        fatal: true,
      });
    if (chunk.length > this.#limits.message) {
      const message = `message longer than ${this.#limits.message}`;
      return new DecodeError("limits.message", ErrorCode.invalidRequest, message, { input: chunk });
    }
    const text = typeof chunk === "string" ? chunk : decodeUtf8(chunk);
    return (
      text ?? new DecodeError("RFC 8259 8.1", ErrorCode.parse, "not UTF-8", { input: chunk as Uint8Array })
    );
  }
}
