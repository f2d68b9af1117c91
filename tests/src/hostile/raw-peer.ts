// A peer that says exactly what it is told and writes down what it hears. It knows the protocol only well enough to
// break it.
import {
  ByteQueue,
  DECODE_LIMITS,
  FrameReader,
  frameToJson,
  Output,
  type ControlFrame,
  type DataFrame,
} from "@sluice/codec";
import type { Wire } from "./wire.ts";

// oxlint-disable-next-line typescript/no-explicit-any -- whatever was heard
export type Json = Record<string, any>;

const MiB = 1024 * 1024;

export function helloOf(encoding: "json" | "frames", more: Readonly<Json> = {}): Json {
  const limits = { message: 16 * MiB, item: 16 * MiB, streams: 1024, calls: 1000 };
  return { version: 1, encodings: [encoding], window: 64 * 1024, limits, ...more };
}

export class RawPeer {
  readonly wire: Wire;
  /** Everything heard so far: messages parsed, frames as they are. */
  readonly heard: Json[] = [];
  ended = false;
  // H3: whether it speaks frames, and whether it hears them.
  speaks = false;
  hears = false;
  // Above the ids that rows choose themselves.
  #id = 100_000;
  readonly #headers: boolean;
  readonly #queue: ByteQueue = new ByteQueue();
  readonly #reader: FrameReader = new FrameReader(DECODE_LIMITS);
  #waiting: (() => void)[] = [];

  constructor(wire: Wire, framing: "lines" | "headers") {
    this.wire = wire;
    this.#headers = framing === "headers";
    wire.listen(
      (chunk) => this.#hear(chunk),
      () => {
        if (!this.ended) wire.end();
        this.ended = true;
        this.#wake();
      },
    );
  }

  raw(chunk: Uint8Array | string): void {
    this.wire.send(chunk);
  }

  /** One message: text as it is, an object with `jsonrpc` added. */
  message(message: Readonly<Json> | string): void {
    const text = typeof message === "string" ? message : JSON.stringify({ jsonrpc: "2.0", ...message });
    if (this.speaks) return this.#out((output) => output.message(text));
    if (this.wire.unit === "messages") return this.raw(text);
    this.raw(this.#headers ? `Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}` : `${text}\n`);
  }

  /** A request; returns its id. */
  call(method: string, params?: unknown, more: Readonly<Json> = {}): number {
    const id = this.#id++;
    this.message({ id, method, params, ...more });
    return id;
  }

  frame(frame: Exclude<ControlFrame, DataFrame>): void {
    if (this.speaks) this.#out((output) => output.control(frame));
    else this.message(frameToJson(frame));
  }

  /** Data of a byte stream, in whichever encoding it speaks. */
  data(id: number, payload: Uint8Array | string, end = false): void {
    const bytes = Buffer.from(payload as string);
    if (this.speaks) this.#out((output) => output.data(id, bytes, { item: false, more: false, end }));
    else {
      const params = { id, bytes: bytes.toString("base64"), ...(end && { end }) };
      this.message({ method: "$/stream/data", params });
    }
  }

  /** The first thing heard that fits; waits for it, and fails where it can no longer come. */
  async until(fits: (said: Json) => boolean): Promise<Json> {
    for (let at = 0; ;) {
      for (; at < this.heard.length; at++) if (fits(this.heard[at]!)) return this.heard[at]!;
      if (this.ended)
        throw new Error(`it was never said; what was: ${JSON.stringify(this.heard).slice(0, 500)}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  answer(id: unknown): Promise<Json> {
    return this.until((said) => said["id"] === id && ("result" in said || "error" in said));
  }

  /** The wire has been closed by the session. */
  async untilEnd(): Promise<void> {
    while (!this.ended) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** The answers heard, in order; a batch's as one array. */
  get answers(): Json[] {
    return this.heard.filter((said) => Array.isArray(said) || "result" in said || "error" in said);
  }

  #out(write: (output: Output) => void): void {
    const output = new Output(this.wire.unit === "bytes");
    write(output);
    for (const chunk of output.take()) this.raw(chunk);
  }

  #hear(chunk: Uint8Array | string): void {
    if (typeof chunk === "string") this.#heardText(chunk);
    else this.#queue.push(chunk);
    while (!this.hears && this.#queue.length > 0) {
      const text = this.#headers ? this.#takeBody() : this.#takeLine();
      if (text === undefined) break;
      this.#heardText(text);
    }
    if (this.hears) this.#hearFrames();
    this.#wake();
  }

  #heardText(text: string): void {
    const said = JSON.parse(text) as Json;
    this.heard.push(said);
    if (said["result"]?.encodings?.[0] === "frames") this.hears = true;
  }

  #hearFrames(): void {
    for (
      let unit = this.#reader.read(this.#queue);
      unit !== undefined;
      unit = this.#reader.read(this.#queue)
    ) {
      if (unit instanceof Error) throw unit;
      this.heard.push(typeof unit === "string" ? (JSON.parse(unit) as Json) : { ...unit });
    }
  }

  #takeLine(): string | undefined {
    const lf = this.#queue.indexOf(0x0a, 0);
    return lf === -1 ? undefined : new TextDecoder().decode(this.#queue.take(lf + 1));
  }

  #takeBody(): string | undefined {
    const start = new TextDecoder().decode(this.#queue.peek(80));
    const header = /^Content-Length: (\d+)\r\n\r\n/.exec(start);
    if (header === null || this.#queue.length < header[0].length + Number(header[1])) return undefined;
    this.#queue.discard(header[0].length);
    return new TextDecoder().decode(this.#queue.take(Number(header[1])));
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
