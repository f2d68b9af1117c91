// Reads what both ends put on the link, with a decoder of its own, and holds it against the rules of PROTOCOL S and C
// that can be told from outside.
import { join, type Chunk } from "./link.ts";
import type { Trace } from "./trace.ts";
import { check } from "./violation.ts";

type Way = 0 | 1;

interface WireStream {
  readonly writer: Way;
  readonly items: boolean;
  sent: number;
  granted: number;
  inItem: boolean;
  terminal: string | undefined;
  stopped: boolean;
}

interface WireFrame {
  readonly type: string;
  readonly id: number;
  readonly size: number;
  readonly item: boolean;
  readonly more: boolean;
  readonly end: boolean;
  readonly offset: number;
  readonly code: number;
}

const TYPES = ["message", "data", "end", "reset", "stop", "grant", "ping", "pong", "drain"] as const;
const PLAIN = { size: 0, item: false, more: false, end: false, offset: 0, code: 0 };
const MENTION = /\{"\$stream":(\d+),"of":"(bytes|items)","by":"(sender|receiver)"\}/g;
const text = new TextDecoder("utf-8", { fatal: true });
const encoder = new TextEncoder();

interface Side {
  frames: boolean;
  calls: Set<number>;
  highestCall: number;
  answers: number;
  cancelled: Set<number>;
  highestStream: number;
  drained: boolean;
}

export interface WireOptions {
  readonly trace: Trace;
  readonly now: () => number;
  readonly greets: boolean;
  readonly framesFromStart: boolean;
  /** First windows of the streams each end reads, and the messages it takes. */
  readonly windows: readonly [number, number];
  readonly messages: readonly [number, number];
}

export class Wire {
  readonly streams: Map<number, WireStream> = new Map();
  /** Bytes each end has sent. */
  readonly bytes: [number, number] = [0, 0];
  readonly #options: WireOptions;
  readonly #sides: readonly [Side, Side];

  constructor(options: WireOptions) {
    this.#options = options;
    const side = (): Side => ({
      frames: options.framesFromStart,
      calls: new Set(),
      highestCall: 0,
      answers: 0,
      cancelled: new Set(),
      highestStream: 0,
      drained: false,
    });
    this.#sides = [side(), side()];
  }

  /** One write of one end: whole messages and frames. */
  sent(way: Way, chunks: readonly Chunk[]): void {
    const bytes: Uint8Array[] = [];
    for (const chunk of chunks)
      if (typeof chunk === "string") this.#message(way, chunk);
      else bytes.push(chunk);
    if (bytes.length > 0) this.#binary(way, join(bytes));
  }

  #binary(way: Way, bytes: Uint8Array): void {
    this.bytes[way] += bytes.length;
    for (let at = 0; at < bytes.length;)
      at = this.#sides[way].frames ? this.#frame(way, bytes, at) : this.#framed(way, bytes, at);
  }

  #framed(way: Way, bytes: Uint8Array, from: number): number {
    if (bytes[from] === 0x43) {
      const body = bytes.indexOf(0x0d, from) + 4;
      const length = Number(text.decode(bytes.subarray(from + "Content-Length: ".length, body - 4)));
      this.#message(way, text.decode(bytes.subarray(body, body + length)));
      return body + length;
    }
    const lf = bytes.indexOf(0x0a, from);
    check(lf >= 0, "F6", "a write ends inside a line");
    this.#message(way, text.decode(bytes.subarray(from, lf)));
    return lf + 1;
  }

  #frame(way: Way, bytes: Uint8Array, at: number): number {
    const view = new DataView(bytes.buffer, bytes.byteOffset + at);
    const length = view.getUint32(0);
    const type = TYPES[view.getUint8(4)];
    const flags = view.getUint8(5);
    const id = view.getUint32(8);
    check(at + 12 + length <= bytes.length, "F6", "a write ends inside a frame");
    check(type !== undefined && view.getUint16(6) === 0, "F1", "a header that is none");
    const payload = bytes.subarray(at + 12, at + 12 + length);
    if (type === "message") this.#message(way, text.decode(payload));
    else if (type === "data") {
      check(length <= 65_536, "F2", "a data frame larger than 64 KiB");
      check(length > 0 || flags === 1, "F2a", "data without a payload");
      const frame = { ...PLAIN, type, id, size: length, item: (flags & 2) !== 0, more: (flags & 4) !== 0 };
      this.#stream(way, { ...frame, end: (flags & 1) !== 0 });
    } else {
      check(length <= 4096 && flags === 0, "F1", `a ${type} frame of ${length} bytes`);
      if (type === "end" || type === "grant")
        this.#stream(way, { ...PLAIN, type, id, offset: Number(view.getBigUint64(12)) });
      else if (type === "reset" || type === "stop")
        this.#stream(way, {
          ...PLAIN,
          type,
          id,
          code: (JSON.parse(text.decode(payload)) as { code: number }).code,
        });
      else this.#session(way, type);
    }
    return at + 12 + length;
  }

  #message(way: Way, json: string): void {
    const side = this.#sides[way];
    const max = this.#options.messages[way === 0 ? 1 : 0];
    check(
      json.length * 3 <= max || encoder.encode(json).length <= max,
      "limits.message",
      `a message of ${json.length}`,
    );
    const message = JSON.parse(json) as {
      id?: number;
      method?: string;
      params?: Record<string, unknown>;
      result?: { encodings?: string[] };
    };
    if (message.method === undefined) return this.#answer(way, message.id, message.result, json);
    if (message.id !== undefined) {
      check(message.id > side.highestCall, "C1", "call ids must grow");
      this.#note(way, `request ${message.method}`, message.id, json);
      side.highestCall = message.id;
      side.calls.add(message.id);
      return this.#mentions(way, json);
    }
    const params = message.params ?? {};
    if (message.method === "$/cancelRequest") {
      const id = params["id"] as number;
      check(id <= side.highestCall, "S2", "a cancel overtook its request");
      check(!side.cancelled.has(id), "C3", "cancelled twice");
      side.cancelled.add(id);
      return this.#note(way, "cancel", id, json);
    }
    if (!message.method.startsWith("$/")) return this.#note(way, message.method, json.length, json);
    const name = message.method.replace(/^\$\/(stream\/)?/, "");
    if (!message.method.startsWith("$/stream/")) return this.#session(way, name);
    const id = params["id"] as number;
    if (name !== "data")
      return this.#stream(way, {
        ...PLAIN,
        type: name,
        id,
        offset: (params["offset"] ?? 0) as number,
        code: (params["code"] ?? 0) as number,
      });
    const bytes = params["bytes"] as string | undefined;
    const part = params["part"] as string | undefined;
    const size =
      bytes === undefined
        ? part === undefined
          ? (params["size"] as number)
          : encoder.encode(part).length
        : (bytes.length / 4) * 3 - (bytes.endsWith("==") ? 2 : bytes.endsWith("=") ? 1 : 0);
    const end = params["end"] === true;
    this.#stream(way, {
      ...PLAIN,
      type: name,
      id,
      size,
      item: bytes === undefined,
      more: params["more"] === true,
      end,
    });
  }

  #answer(
    way: Way,
    id: number | undefined,
    result: { encodings?: string[] } | undefined,
    json: string,
  ): void {
    const caller = this.#sides[way === 0 ? 1 : 0];
    this.#note(way, "answer", id, json);
    check(
      id !== undefined && caller.calls.delete(id),
      "C2",
      `an answer to no open call: ${json.slice(0, 100)}`,
    );
    this.#sides[way].answers++;
    if (way === 1 && this.#sides[1].answers === 1 && this.#options.greets) {
      if (result?.encodings?.[0] !== "frames") return;
      this.#sides[0].frames = this.#sides[1].frames = true;
      return;
    }
    this.#mentions(way, json);
  }

  #mentions(way: Way, json: string): void {
    if (!json.includes('"$stream"')) return;
    const before = this.#sides[way].highestStream;
    for (const [, digits, of, by] of json.matchAll(MENTION)) {
      const id = Number(digits);
      const writer = ((by === "sender") === (way === 0) ? 0 : 1) as Way;
      check(id % 2 === (way === 0 ? 1 : 0) && id > before && !this.streams.has(id), "S2", `mention of ${id}`);
      this.#sides[way].highestStream = Math.max(this.#sides[way].highestStream, id);
      const granted = this.#options.windows[writer === 0 ? 1 : 0];
      const begin = { sent: 0, granted, inItem: false, terminal: undefined, stopped: false };
      this.streams.set(id, { writer, items: of === "items", ...begin });
    }
  }

  #session(way: Way, type: string): void {
    const side = this.#sides[way];
    this.#note(way, type, 0);
    if (type !== "drain") return;
    check(!side.drained, "C6", "drained twice");
    side.drained = true;
  }

  #stream(way: Way, frame: WireFrame): void {
    const { type, id } = frame;
    this.#options.trace.note(
      this.#options.now(),
      way === 0 ? "a→" : "b→",
      type,
      id,
      frame.size + frame.offset + frame.code,
      () =>
        [
          `#${id}`,
          ...Object.entries(frame).flatMap(([k, v]) => (v && k !== "id" && k !== "type" ? `${k} ${v}` : [])),
        ].join(" "),
    );
    const stream = this.streams.get(id);
    check(stream !== undefined, "S13", `${type} for stream ${id}, which nobody mentioned`);
    const fromWriter = type === "data" || type === "end" || type === "reset";
    check(fromWriter === (way === stream.writer), "L3", `${type} from the wrong end of stream ${id}`);
    if (type === "grant") {
      check(
        frame.offset > stream.granted,
        "S5",
        `grant ${frame.offset} after ${stream.granted} on stream ${id}`,
      );
      check(!stream.stopped, "S12", `a grant after the stop of stream ${id}`);
      stream.granted = frame.offset;
    } else if (type === "stop") {
      check(!stream.stopped, "S9", `stream ${id} was stopped twice`);
      stream.stopped = true;
    } else {
      check(stream.terminal === undefined, "S8", `${type} after the ${stream.terminal} of stream ${id}`);
      if (type === "data") this.#data(stream, frame);
      if (type === "end") {
        check(
          frame.offset === stream.sent,
          "S7",
          `end at ${frame.offset} of stream ${id}, sent ${stream.sent}`,
        );
        check(!stream.inItem, "F2a", `end inside an item of stream ${id}`);
      }
      if (type !== "data") stream.terminal = type;
    }
  }

  #data(stream: WireStream, frame: WireFrame): void {
    if (frame.size > 0) {
      check(frame.item === stream.items, "F2a", `data of the wrong kind on stream ${frame.id}`);
      stream.sent += frame.size + (frame.item && !stream.inItem ? 32 : 0);
      stream.inItem = frame.more;
    }
    check(
      stream.sent <= stream.granted,
      "S4",
      () => `stream ${frame.id}: sent ${stream.sent} of ${stream.granted}`,
    );
    if (frame.end) stream.terminal = "end";
  }

  #note(way: Way, what: string, n: number | undefined, json?: string): void {
    this.#options.trace.note(
      this.#options.now(),
      way === 0 ? "a→" : "b→",
      what,
      n ?? 0,
      0,
      () => `${n ?? ""} ${json?.slice(0, 150) ?? ""}`,
    );
  }
}
