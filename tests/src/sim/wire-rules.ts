// The rules of PROTOCOL S and C that can be told from outside, held against everything both ends put on the link.
import type { Trace } from "./trace.ts";
import { check } from "./violation.ts";
import type { WireFrame, WireMessage } from "./wire.ts";

export type Way = 0 | 1;

interface Stream {
  readonly writer: Way;
  readonly items: boolean;
  sent: number;
  granted: number;
  inItem: boolean;
  terminal: string | undefined;
  stopped: boolean;
}

/** What one end has said so far. */
interface Side {
  readonly calls: Set<number>;
  readonly cancelled: Set<number>;
  highestCall: number;
  highestStream: number;
  drained: boolean;
}

const MENTION = /\{"\$stream":(\d+),"of":"(bytes|items)","by":"(sender|receiver)"\}/g;

export interface WireRulesOptions {
  readonly trace: Trace;
  readonly now: () => number;
  /** First windows of the streams each end reads. */
  readonly windows: readonly [number, number];
}

export class WireRules {
  readonly #options: WireRulesOptions;
  readonly #streams: Map<number, Stream> = new Map();
  readonly #sides: readonly [Side, Side] = [newSide(), newSide()];

  constructor(options: WireRulesOptions) {
    this.#options = options;
  }

  message(way: Way, message: WireMessage, json: string): void {
    const { id, method } = message;
    if (method === undefined) return this.#answer(way, id, json);
    if (id !== undefined) return this.#request(way, id, json);
    if (method === "$/cancelRequest") return this.#cancel(way, message.params?.["id"] as number);
    this.#note(way, method, json.length, json);
  }

  /** A ping, pong or drain. */
  session(way: Way, type: string): void {
    const side = this.#sides[way];
    this.#note(way, type, 0);
    if (type !== "drain") return;
    check(!side.drained, "C6", "drained twice");
    side.drained = true;
  }

  stream(way: Way, frame: WireFrame): void {
    const { type, id } = frame;
    this.#noteFrame(way, frame);
    const stream = this.#streams.get(id);
    check(stream !== undefined, "S13", `${type} for stream ${id}, which nobody mentioned`);
    const fromWriter = type === "data" || type === "end" || type === "reset";
    check(fromWriter === (way === stream.writer), "L3", `${type} from the wrong end of stream ${id}`);
    if (fromWriter) return this.#fromWriter(stream, frame);
    check(!stream.stopped, "S12", `${type} after the stop of stream ${id}`);
    if (type === "stop") stream.stopped = true;
    else {
      check(
        frame.offset > stream.granted,
        "S5",
        `grant ${frame.offset} after ${stream.granted} on stream ${id}`,
      );
      stream.granted = frame.offset;
    }
  }

  #request(way: Way, id: number, json: string): void {
    const side = this.#sides[way];
    this.#note(way, "request", id, json);
    check(id > side.highestCall, "C1", "call ids must grow");
    side.highestCall = id;
    side.calls.add(id);
    this.#mentions(way, json);
  }

  #answer(way: Way, id: number | undefined, json: string): void {
    this.#note(way, "answer", id ?? 0, json);
    const caller = this.#sides[way === 0 ? 1 : 0];
    check(
      id !== undefined && caller.calls.delete(id),
      "C2",
      () => `an answer to no open call: ${json.slice(0, 100)}`,
    );
    this.#mentions(way, json);
  }

  #cancel(way: Way, id: number): void {
    const side = this.#sides[way];
    this.#note(way, "cancel", id);
    check(id <= side.highestCall, "S2", "a cancel overtook its request");
    check(!side.cancelled.has(id), "C3", "cancelled twice");
    side.cancelled.add(id);
  }

  #mentions(way: Way, json: string): void {
    if (!json.includes('"$stream"')) return;
    const side = this.#sides[way];
    const before = side.highestStream;
    for (const [, digits, of, by] of json.matchAll(MENTION)) {
      const id = Number(digits);
      const writer = (by === "sender" ? way : 1 - way) as Way;
      check(id % 2 === 1 - way && id > before && !this.#streams.has(id), "S2", `mention of ${id}`);
      side.highestStream = Math.max(side.highestStream, id);
      const granted = this.#options.windows[writer === 0 ? 1 : 0];
      const begin = { sent: 0, inItem: false, terminal: undefined, stopped: false };
      this.#streams.set(id, { writer, items: of === "items", granted, ...begin });
    }
  }

  #fromWriter(stream: Stream, { type, id, size, item, more, end, offset }: WireFrame): void {
    check(stream.terminal === undefined, "S8", `${type} after the ${stream.terminal} of stream ${id}`);
    if (size > 0) {
      check(item === stream.items, "F2a", `data of the wrong kind on stream ${id}`);
      stream.sent += size + (item && !stream.inItem ? 32 : 0);
      stream.inItem = more;
      check(
        stream.sent <= stream.granted,
        "S4",
        () => `stream ${id}: sent ${stream.sent} of ${stream.granted}`,
      );
    }
    if (type === "end")
      check(offset === stream.sent, "S7", `end at ${offset} of stream ${id}, sent ${stream.sent}`);
    if (type === "end" || end) check(!stream.inItem, "F2a", `end inside an item of stream ${id}`);
    if (type !== "data" || end) stream.terminal = type === "reset" ? "reset" : "end";
  }

  #note(way: Way, what: string, n: number, json?: string): void {
    const more = (): string => `${n} ${json?.slice(0, 150) ?? ""}`;
    this.#options.trace.note(this.#options.now(), ARROW[way], what, n, 0, more);
  }

  #noteFrame(way: Way, frame: WireFrame): void {
    const { type, id, size, offset, code } = frame;
    const more = (): string => {
      const rest = Object.entries(frame).filter(([key, value]) => value && key !== "type" && key !== "id");
      return [`#${id}`, ...rest.map(([key, value]) => (value === true ? key : `${key} ${value}`))].join(" ");
    };
    this.#options.trace.note(this.#options.now(), ARROW[way], type, id, size + offset + code, more);
  }
}

const ARROW = ["a→", "b→"] as const;

function newSide(): Side {
  return { calls: new Set(), cancelled: new Set(), highestCall: 0, highestStream: 0, drained: false };
}
