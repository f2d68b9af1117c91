// For tests: a peer that says exactly what the test tells it, to one core, and writes down what that core says.
import {
  ByteQueue,
  FrameReader,
  frameToJson,
  Output,
  type ControlFrame,
  type DataFrame,
} from "@sluice/codec";
import type { Core } from "./core.ts";
import type { CoreOptions } from "./options.ts";
import { LIMITS, type Limits } from "./limits.ts";
import { TestEnd } from "./testing.ts";

export interface ScriptedOptions extends Partial<CoreOptions> {
  /** What the script greets with; default frames. */
  readonly encoding?: "frames" | "json";
  /** What the script says in its hello, beside the defaults. */
  readonly hello?: Readonly<Record<string, unknown>>;
}

type Json = Record<string, unknown>;

export function helloOf(encodings: readonly string[], more: Readonly<Record<string, unknown>> = {}): Json {
  const { message, item, streams, calls, window } = LIMITS;
  return { version: 1, encodings, window, limits: { message, item, streams, calls }, ...more };
}

export class Scripted {
  readonly end: TestEnd;
  now = 0;
  // H3: whether the script speaks frames, and whether the core does.
  #speaks = false;
  #hears = false;
  readonly #queue: ByteQueue = new ByteQueue();
  readonly #reader: FrameReader = new FrameReader(LIMITS);
  // Ids of the script's own calls.
  #id = 1;

  constructor(options: ScriptedOptions = {}) {
    this.end = new TestEnd({ unit: "bytes", role: "acceptor", ...options });
    this.#speaks = options.framesFromStart === true;
    this.#hears = this.#speaks;
    this.end.core.start(0);
  }

  /** Greeted already, as initiator unless the core is one. */
  static greeted(options: ScriptedOptions = {}): Scripted {
    const script = new Scripted(options);
    const frames = options.encoding !== "json";
    const encodings = [frames ? "frames" : "json"];
    const hello = helloOf(encodings, options.hello);
    if (options.role === "initiator") {
      const [theirs] = script.heard() as [Json];
      script.message({ id: theirs["id"], result: hello });
      script.#hears = frames;
    } else script.message({ id: script.#id++, method: "$/hello", params: hello });
    script.#speaks = frames;
    script.heard();
    if (script.end.seen.peer.length === 0) throw new Error(String(script.core.error));
    return script;
  }

  get core(): Core {
    return this.end.core;
  }
  get limits(): Limits {
    return this.core.limits;
  }

  raw(bytes: Uint8Array | string): void {
    this.core.receive(typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes, this.now);
  }

  /** A JSON-RPC message, `jsonrpc` added; text goes as it is. */
  message(message: Readonly<Json> | string): void {
    const text = typeof message === "string" ? message : JSON.stringify({ jsonrpc: "2.0", ...message });
    if (!this.#speaks) return this.raw(`${text}\n`);
    const output = new Output(true);
    output.message(text);
    for (const chunk of output.take()) this.raw(chunk);
  }

  /** A request; returns its id. */
  call(method: string, params?: unknown, extras: Readonly<Json> = {}): number {
    const id = this.#id++;
    this.message({ id, method, params, ...extras });
    return id;
  }

  frame(frame: Exclude<ControlFrame, DataFrame>): void {
    if (!this.#speaks) return this.raw(`${frameToJson(frame)}\n`);
    const output = new Output(true);
    output.control(frame);
    for (const chunk of output.take()) this.raw(chunk);
  }

  /** A binary data frame. */
  data(id: number, payload: Uint8Array | string, flags: Partial<DataFrame> = {}): void {
    const output = new Output(true);
    const bytes = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
    output.data(id, bytes, { item: false, more: false, end: false, ...flags });
    for (const chunk of output.take()) this.raw(chunk);
  }

  /** Everything the core has said since: messages parsed, frames as they are, data with its payload as text. */
  heard(): Json[] {
    for (let chunks = this.core.flush(); chunks.length > 0; chunks = this.core.flush())
      for (const chunk of chunks)
        this.#queue.push(typeof chunk === "string" ? new TextEncoder().encode(`${chunk}\n`) : chunk);
    const heard: Json[] = [];
    while (!this.#hears) {
      const lf = this.#queue.indexOf(0x0a);
      if (lf === -1) return heard;
      heard.push(JSON.parse(new TextDecoder().decode(this.#queue.take(lf + 1))) as Json);
      // H3: what follows the answer to our hello is frames, where it chose them.
      const result = heard.at(-1)?.["result"] as { encodings?: string[] } | undefined;
      this.#hears = result?.encodings?.[0] === "frames";
    }
    for (let unit = this.#reader.read(this.#queue); unit !== undefined; unit = this.#reader.read(this.#queue))
      heard.push(read(unit));
    return heard;
  }

  /** The answers among them, in order. */
  answers(): Json[] {
    return this.heard().filter((said) => "result" in said || "error" in said);
  }

  /** Whether the session lives and answers calls as it should. */
  get isWell(): boolean {
    const { onCall } = this.end;
    this.heard();
    this.end.onCall = (call) => void call.succeed("well");
    const id = this.call("probe");
    this.core.turn();
    this.end.onCall = onCall;
    return this.answers().some((answer) => answer["id"] === id && answer["result"] === "well");
  }

  /** The rule the session ended by; undefined while it lives. */
  get endedBy(): string | undefined {
    return this.core.error?.rule;
  }

  advance(ms: number): void {
    this.now += ms;
    this.core.tick(this.now);
  }
}

function read(unit: string | ControlFrame | Error): Json {
  if (typeof unit === "string") return JSON.parse(unit) as Json;
  if (unit instanceof Error) throw unit;
  if (unit.type !== "data" || !(unit.payload instanceof Uint8Array)) return { ...unit };
  return { ...unit, payload: new TextDecoder().decode(unit.payload) };
}
