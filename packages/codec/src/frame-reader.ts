// PROTOCOL F, binary encoding, from bytes. The payload of a byte stream is handed on in the pieces it arrives in, each
// a legal data frame by itself: no copy, and no waiting for the rest. Everything else is read whole.
import type { ByteQueue } from "./byte-queue.ts";
import { protocolError, readControl } from "./control.ts";
import { DecodeError, ErrorCode } from "./error.ts";
import {
  END_FLAG,
  FRAME_NAME,
  FRAME_TYPE,
  HEADER,
  IGNORABLE,
  ITEM_FLAG,
  MAX_STREAM,
  MORE_FLAG,
  type ControlFrame,
} from "./frame.ts";
import { CONTROL_LIMIT, DATA_LIMIT, type DecodeLimits } from "./limits.ts";
import { decodeUtf8 } from "./utf8.ts";

/** A frame, the text of a message, an error, or undefined: not all there yet. */
export type FrameRead = ControlFrame | string | DecodeError | undefined;

export class FrameReader {
  readonly #max: number;
  // A byte-stream data frame of which `#left` bytes have not come yet.
  #left = 0;
  #id = 0;
  #end = false;
  // Bytes of an ignorable frame still to be dropped.
  #drop = 0;

  constructor(limits: Pick<DecodeLimits, "message">) {
    this.#max = limits.message;
  }

  read(input: ByteQueue): FrameRead {
    if (this.#left > 0) return this.#piece(input);
    for (;;) {
      if (this.#drop > 0 && !this.#dropped(input)) return undefined;
      if (input.length < HEADER) return undefined;
      const length = input.u32(0);
      const kind = input.u32(4);
      const type = kind >>> 24;
      const flags = (kind >>> 16) & 0xff;
      const id = input.u32(8);
      const error = this.#check(length, type, flags, kind & 0xffff, id, input);
      if (error !== undefined) return error;
      if (type >= IGNORABLE) {
        input.discard(HEADER);
        this.#drop = length;
        continue;
      }
      if (type === FRAME_TYPE.data && (flags & ITEM_FLAG) === 0) {
        input.discard(HEADER);
        this.#left = length;
        this.#id = id;
        this.#end = (flags & END_FLAG) !== 0;
        return length === 0 ? this.#data(NOTHING) : this.#piece(input);
      }
      if (input.length < HEADER + length) return undefined;
      input.discard(HEADER);
      return type === FRAME_TYPE.message
        ? message(input, length)
        : whole(type, flags, id, input.take(length));
    }
  }

  /** True in the middle of a frame: an end of input here has cut it. */
  get partial(): boolean {
    return this.#left > 0 || this.#drop > 0;
  }

  #piece(input: ByteQueue): FrameRead {
    if (input.length === 0) return undefined;
    const bytes = input.takeSome(this.#left);
    this.#left -= bytes.length;
    return this.#data(bytes);
  }

  #data(payload: Uint8Array): ControlFrame {
    const end = this.#end && this.#left === 0;
    return { type: "data", id: this.#id, size: payload.length, payload, item: false, more: false, end };
  }

  #dropped(input: ByteQueue): boolean {
    const n = Math.min(this.#drop, input.length);
    input.discard(n);
    this.#drop -= n;
    return this.#drop === 0;
  }

  // Before anything is allocated or waited for (F4).
  #check(
    length: number,
    type: number,
    flags: number,
    reserved: number,
    id: number,
    input: ByteQueue,
  ): DecodeError | undefined {
    if (type >= IGNORABLE) return length > this.#max ? tooLong(length, this.#max, input.peek(80)) : undefined;
    const name = FRAME_NAME[type];
    if (name === undefined) {
      return new DecodeError("F3", ErrorCode.invalidRequest, `unknown frame type ${type}`, {
        fatal: true,
        input: input.peek(80),
      });
    }
    if (reserved !== 0) return protocolError("F1", name, input.peek(80));
    if (name === "message") {
      if (length > this.#max) return tooLong(length, this.#max, input.peek(80));
      return flags !== 0 || id !== 0 ? protocolError("F1", name, input.peek(80)) : undefined;
    }
    const onSession = name === "ping" || name === "pong" || name === "drain";
    if (onSession ? id !== 0 : id === 0 || id > MAX_STREAM) return protocolError("F1", name, input.peek(80));
    if (name === "data") return checkData(length, flags, input);
    if (flags !== 0) return protocolError("F1", name, input.peek(80));
    return length > CONTROL_LIMIT ? tooLong(length, CONTROL_LIMIT, input.peek(80)) : undefined;
  }
}

const NOTHING = new Uint8Array(0);

function checkData(length: number, flags: number, input: ByteQueue): DecodeError | undefined {
  if (length > DATA_LIMIT) return protocolError("F2", "data", input.peek(80));
  if ((flags & ~(END_FLAG | ITEM_FLAG | MORE_FLAG)) !== 0) return protocolError("F1", "data", input.peek(80));
  const more = (flags & MORE_FLAG) !== 0;
  if (more && ((flags & ITEM_FLAG) === 0 || (flags & END_FLAG) !== 0))
    return protocolError("F2a", "data", input.peek(80));
  if (length === 0 && flags !== END_FLAG) return protocolError("F2a", "data", input.peek(80));
  return undefined;
}

function tooLong(length: number, max: number, input: Uint8Array): DecodeError {
  const message = `frame of ${length} bytes, the limit is ${max}`;
  return new DecodeError("F4", ErrorCode.limit, message, { fatal: true, input });
}

// Most frames are messages: their text is made without a view of the bytes first.
function message(input: ByteQueue, length: number): string | DecodeError {
  const text = input.text(length);
  if (text !== undefined) {
    input.discard(length);
    return text;
  }
  return new DecodeError("RFC 8259 8.1", ErrorCode.parse, "not UTF-8", { input: input.take(length) });
}

function whole(type: number, flags: number, id: number, payload: Uint8Array): FrameRead {
  const name = FRAME_NAME[type]!;
  switch (name) {
    case "data": {
      const end = (flags & END_FLAG) !== 0;
      const more = (flags & MORE_FLAG) !== 0;
      return { type: "data", id, size: payload.length, payload, item: true, more, end };
    }
    case "end":
    case "grant":
      return payload.length === 8
        ? readControl(name, id, { offset: u64(payload) })
        : protocolError("F1", name);
    case "ping":
    case "pong":
      return payload.length === 8 ? { type: name, token: hex(payload) } : protocolError("F1", name);
    default: {
      const params = parse(payload);
      return params === undefined ? protocolError("F1", name) : readControl(name, id, params);
    }
  }
}

function parse(payload: Uint8Array): unknown {
  try {
    return JSON.parse(decodeUtf8(payload) ?? "");
  } catch {
    return undefined;
  }
}

// A number: past 2^53 it is no safe integer and `readControl` refuses it.
function u64(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 8);
  return view.getUint32(0) * 2 ** 32 + view.getUint32(4);
}

function hex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}
