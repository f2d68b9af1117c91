// Reads what both ends put on the link, in both encodings, with a decoder of its own.
import { join, type Chunk } from "./link.ts";
import { check } from "./violation.ts";
import type { Way, WireRules } from "./wire-rules.ts";

export interface WireFrame {
  readonly type: string;
  readonly id: number;
  readonly size: number;
  readonly item: boolean;
  readonly more: boolean;
  readonly end: boolean;
  readonly offset: number;
  readonly code: number;
}

export interface WireMessage {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: unknown;
}

export interface WireOptions {
  readonly rules: WireRules;
  readonly greets: boolean;
  readonly framesFromStart: boolean;
  /** Bytes of the messages each end takes. */
  readonly messages: readonly [number, number];
}

const TYPES = ["message", "data", "end", "reset", "stop", "grant", "ping", "pong", "drain"] as const;
const FRAME = { size: 0, item: false, more: false, end: false, offset: 0, code: 0 };
const decoder = new TextDecoder("utf-8", { fatal: true });
const encoder = new TextEncoder();

export class Wire {
  /** Bytes each end has sent in frames or framed. */
  readonly bytes: [number, number] = [0, 0];
  readonly #options: WireOptions;
  #frames: boolean;
  /** H3: the greeting is not over. */
  #greeting: boolean;

  constructor(options: WireOptions) {
    this.#options = options;
    this.#frames = options.framesFromStart;
    this.#greeting = options.greets;
  }

  /** One write of one end: whole messages and frames. */
  sent(way: Way, chunks: readonly Chunk[]): void {
    const bytes: Uint8Array[] = [];
    for (const chunk of chunks)
      if (typeof chunk === "string") this.#text(way, chunk);
      else bytes.push(chunk);
    if (bytes.length === 0) return;
    const whole = join(bytes);
    this.bytes[way] += whole.length;
    for (let at = 0; at < whole.length;)
      at = this.#frames ? this.#frame(way, whole, at) : this.#framed(way, whole, at);
  }

  #framed(way: Way, bytes: Uint8Array, from: number): number {
    let start = from;
    let end = bytes.indexOf(0x0a, from);
    let next = end + 1;
    if (bytes[from] === 0x43) {
      const head = bytes.indexOf(0x0d, from);
      start = head + 4;
      end = next = start + Number(decoder.decode(bytes.subarray(from + "Content-Length: ".length, head)));
    }
    check(end > from && end <= bytes.length, "F6", "a write ends inside a message");
    this.#text(way, decoder.decode(bytes.subarray(start, end)));
    return next;
  }

  #frame(way: Way, bytes: Uint8Array, at: number): number {
    const { rules } = this.#options;
    const view = new DataView(bytes.buffer, bytes.byteOffset + at);
    const length = view.getUint32(0);
    const type = TYPES[view.getUint8(4)];
    const flags = view.getUint8(5);
    const id = view.getUint32(8);
    check(at + 12 + length <= bytes.length, "F6", "a write ends inside a frame");
    check(type !== undefined && view.getUint16(6) === 0, "F1", "a header that is none");
    const payload = bytes.subarray(at + 12, at + 12 + length);
    if (type === "message") this.#text(way, decoder.decode(payload));
    else if (type === "data") {
      check(length <= 65_536, "F2", "a data frame larger than 64 KiB");
      check(length > 0 || flags === 1, "F2a", "data without a payload");
      const kind = { item: (flags & 2) !== 0, more: (flags & 4) !== 0, end: (flags & 1) !== 0 };
      rules.stream(way, { ...FRAME, ...kind, type, id, size: length });
    } else {
      check(length <= 4096 && flags === 0, "F1", `a ${type} frame of ${length} bytes`);
      if (id === 0) rules.session(way, type);
      else if (type === "end" || type === "grant")
        rules.stream(way, { ...FRAME, type, id, offset: Number(view.getBigUint64(12)) });
      else {
        const { code } = JSON.parse(decoder.decode(payload)) as { code: number };
        rules.stream(way, { ...FRAME, type, id, code });
      }
    }
    return at + 12 + length;
  }

  #text(way: Way, json: string): void {
    const { rules, messages } = this.#options;
    const max = messages[way === 0 ? 1 : 0];
    check(
      json.length * 3 <= max || encoder.encode(json).length <= max,
      "limits.message",
      `a message of ${json.length}`,
    );
    const message = JSON.parse(json) as WireMessage;
    const { id, method } = message;
    if (id === undefined && method?.startsWith("$/stream/") === true)
      return rules.stream(way, streamFrame(method.slice("$/stream/".length), message.params ?? {}));
    if (method === "$/ping" || method === "$/pong" || method === "$/drain")
      return rules.session(way, method.slice("$/".length));
    rules.message(way, message, json);
    // Only the answer to the hello switches, and it is the first thing the acceptor says.
    if (way === 0 || !this.#greeting) return;
    this.#greeting = false;
    this.#frames ||= (message.result as { encodings?: string[] } | undefined)?.encodings?.[0] === "frames";
  }
}

function streamFrame(type: string, params: Record<string, unknown>): WireFrame {
  const {
    id,
    offset = 0,
    code = 0,
    bytes,
    part,
    size,
    more = false,
    end = false,
  } = params as {
    id: number;
    offset?: number;
    code?: number;
    bytes?: string;
    part?: string;
    size?: number;
    more?: boolean;
    end?: boolean;
  };
  if (type !== "data") return { ...FRAME, type, id, offset, code };
  if (bytes === undefined) {
    const length = part === undefined ? size! : encoder.encode(part).length;
    return { ...FRAME, type, id, size: length, item: true, more, end };
  }
  const padding = bytes.endsWith("==") ? 2 : bytes.endsWith("=") ? 1 : 0;
  return { ...FRAME, type, id, size: (bytes.length / 4) * 3 - padding, end };
}
