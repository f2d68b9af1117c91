// What the model knows of one call and its streams: A calls, B handles, and between them two links that deliver in order.

export type Side = "A" | "B";
export function other(side: Side): Side {
  return side === "A" ? "B" : "A";
}

/** What may happen next, and what then is. */
export interface Move {
  readonly name: string;
  readonly to: State;
}

export type Call = "idle" | "pending" | "cancelled" | "done";
export type Handling = "none" | "running" | "done";
type WriterState = "none" | "open" | "ending" | "gone";
type ReaderState = "none" | "open" | "stopping" | "gone";

export interface Writer {
  state: WriterState;
  /** Written and not sent. */
  queued: number;
  written: number;
  sent: number;
  granted: number;
  /** S11: the handler uses it. */
  taken: boolean;
  /** Has reset once more after its end (S8 forbids it). */
  again: boolean;
}

export interface Reader {
  state: ReaderState;
  granted: number;
  arrived: number;
  read: number;
  window: number;
  terminal: "" | "end" | "reset";
  taken: boolean;
}

export interface Frame {
  readonly type: "request" | "cancel" | "result" | "error" | "data" | "end" | "reset" | "stop" | "grant";
  /** Which stream; -1 for messages. */
  readonly stream: number;
  readonly offset: number;
}

const WRITER: Writer = {
  state: "none",
  queued: 0,
  written: 0,
  sent: 0,
  granted: 0,
  taken: false,
  again: false,
};
const READER: Reader = {
  state: "none",
  granted: 0,
  arrived: 0,
  read: 0,
  window: 0,
  terminal: "",
  taken: false,
};

export class State {
  call: Call = "idle";
  handling: Handling = "none";
  /** The rule that has been broken. */
  broken = "";
  /** Frames for streams that are gone (S13). */
  late = 0;
  readonly links: Record<Side, Frame[]> = { A: [], B: [] };
  readonly writers: Writer[] = [];
  readonly readers: Reader[] = [];

  constructor(streams: number) {
    for (let i = 0; i < streams; i++) {
      this.writers.push({ ...WRITER });
      this.readers.push({ ...READER });
    }
  }

  clone(): State {
    const copy = new State(0);
    copy.call = this.call;
    copy.handling = this.handling;
    copy.broken = this.broken;
    copy.late = this.late;
    copy.links.A.push(...this.links.A);
    copy.links.B.push(...this.links.B);
    for (const writer of this.writers) copy.writers.push({ ...writer });
    for (const reader of this.readers) copy.readers.push({ ...reader });
    return copy;
  }

  /** The same for states that are the same. */
  get key(): string {
    let key = `${this.call}${this.handling}${this.broken}${this.late}`;
    for (const w of this.writers)
      key += `|${w.state}${w.queued},${w.written},${w.sent},${w.granted}${w.taken ? "t" : ""}${w.again ? "a" : ""}`;
    for (const r of this.readers)
      key += `|${r.state}${r.granted},${r.arrived},${r.read},${r.window}${r.terminal}${r.taken ? "t" : ""}`;
    for (const link of [this.links.A, this.links.B]) {
      key += "/";
      for (const { type, stream, offset } of link) key += `${type}${stream},${offset};`;
    }
    return key;
  }

  /** Nothing is open, nothing is on its way, the call is over. */
  get isEmpty(): boolean {
    return (
      (this.call === "done" || this.call === "idle") &&
      this.handling !== "running" &&
      this.writers.every(({ state }) => state === "none" || state === "gone") &&
      this.readers.every(({ state }) => state === "none" || state === "gone")
    );
  }
  get isQuiet(): boolean {
    return this.links.A.length === 0 && this.links.B.length === 0;
  }
}
