// Items: whole ones, and those that come in parts (F2). An item waits as text and becomes a value when it is read, so
// that what waits costs what it cost on the wire.
import { decodeUtf8, tooDeep } from "@sluice/codec";
import { StreamCode, StreamError } from "./error.ts";
import { ITEM_COST } from "./send-half.ts";

type Payload = Uint8Array | { readonly value: unknown };

export class ItemParts {
  readonly #max: number;
  readonly #depth: number;
  #open = false;
  #parts: Uint8Array[] = [];
  #size = 0;
  // What credit counts for the parts so far and has not been counted as read.
  #unread = 0;

  constructor(max: number, depth: number) {
    this.#max = max;
    this.#depth = depth;
  }

  /** Whether an item has begun and not finished. */
  get open(): boolean {
    return this.#open;
  }

  /** S5: what credit counts for a frame. To be asked of every frame, also of those that are dropped. */
  cost(frame: { readonly size: number; readonly more: boolean }): number {
    const extra = this.#open ? 0 : ITEM_COST;
    this.#open = frame.more;
    return frame.size + extra;
  }

  /** A finished item, undefined while more parts must come, or the error that ends the stream. */
  add(
    frame: { readonly size: number; readonly payload: Payload; readonly more: boolean },
    cost: number,
  ): { readonly payload: Payload; cost: number } | StreamError | undefined {
    const { payload, more } = frame;
    this.#size += frame.size;
    this.#unread += cost;
    if (this.#size > this.#max)
      return new StreamError(StreamCode.limit, "us", `item larger than ${this.#max} bytes (limits.item)`);
    if (!(payload instanceof Uint8Array)) return { payload, cost: this.#finish() };
    this.#parts.push(payload.length * 2 < payload.buffer.byteLength ? payload.slice() : payload);
    if (more) return undefined;
    const whole = this.#join();
    return { payload: whole, cost: this.#finish() };
  }

  /** S6: counts the parts that have come as read. Returns their cost. */
  settle(): number {
    const unread = this.#unread;
    this.#unread = 0;
    return unread;
  }

  /** Drops the parts that have come; whether an item is open stays for the frames to say. Returns what of them was unread. */
  discard(): number {
    return this.#finish();
  }

  /** The item's value, or the error of one that is no JSON (S7). */
  value(payload: Payload): unknown {
    if (!(payload instanceof Uint8Array)) return payload.value;
    const text = decodeUtf8(payload);
    if (text === undefined) return notJson("not UTF-8");
    if (tooDeep(text, this.#depth)) return notJson("nested too deep");
    try {
      return JSON.parse(text);
    } catch {
      return notJson("not JSON");
    }
  }

  #join(): Uint8Array {
    if (this.#parts.length === 1) return this.#parts[0]!;
    const whole = new Uint8Array(this.#size);
    let at = 0;
    for (const part of this.#parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }

  #finish(): number {
    this.#parts = [];
    this.#size = 0;
    return this.settle();
  }
}

function notJson(why: string): StreamError {
  return new StreamError(StreamCode.protocol, "peer", `item is ${why} (S7)`);
}
