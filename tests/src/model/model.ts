// The rules of PROTOCOL S as a machine of two ends, with every choice an application has: what each may do next, and
// what each does with what arrives. `explore` follows every interleaving.
import type { Program, Rules } from "./rules.ts";
import { other, type Frame, type Move, type Side, type State } from "./state.ts";

export class Model {
  readonly program: Program;
  readonly #rules: Rules;
  readonly #requested: number[] = [];
  readonly #answered: number[] = [];

  constructor(program: Program, rules: Rules) {
    this.program = program;
    this.#rules = rules;
    program.streams.forEach((stream, i) =>
      (stream.in === "request" ? this.#requested : this.#answered).push(i),
    );
  }

  /** Everything that may happen next. */
  moves(state: State): Move[] {
    const moves: Move[] = [];
    const add = (name: string, change: (to: State) => void): void => {
      const to = state.clone();
      change(to);
      moves.push({ name, to });
    };
    this.#callMoves(state, add);
    for (let i = 0; i < state.writers.length; i++) {
      this.#writerMoves(state, i, add);
      this.#readerMoves(state, i, add);
    }
    for (const from of ["A", "B"] as const) {
      const frame = state.links[from][0];
      if (frame === undefined) continue;
      add(`${other(from)} gets ${frame.type} ${frame.stream < 0 ? "" : frame.stream}`, (to) => {
        to.links[from].shift();
        this.#receive(to, other(from), frame);
      });
    }
    return moves;
  }

  #callMoves(state: State, add: (name: string, change: (to: State) => void) => void): void {
    if (state.call === "idle")
      add("A calls", (to) => {
        to.call = "pending";
        this.#send(to, "A", "request");
        for (const i of this.#requested) this.#open(to, "A", i);
      });
    if (state.call === "pending" && this.program.cancel === true)
      add("A cancels", (to) => {
        to.call = "cancelled";
        this.#send(to, "A", "cancel");
        for (const i of this.#requested) this.#drop(to, "A", i); // S10
      });
    if (state.handling !== "running") return;
    add("B answers", (to) => {
      to.handling = "done";
      this.#send(to, "B", "result");
      for (const i of this.#answered) this.#open(to, "B", i);
      for (const i of this.#requested) this.#dropUntaken(to, i);
    });
    add("B fails", (to) => {
      to.handling = "done";
      this.#send(to, "B", "error");
      for (const i of this.#requested) this.#drop(to, "B", i); // S10
    });
    for (const i of this.#requested) {
      const half = this.#writes("B", i) ? state.writers[i]! : state.readers[i]!;
      if (half.state !== "none" && !half.taken)
        add(`B takes ${i}`, (to) => {
          (this.#writes("B", i) ? to.writers[i]! : to.readers[i]!).taken = true;
        });
    }
  }

  // S11.
  #dropUntaken(to: State, i: number): void {
    if (!this.#writes("B", i)) {
      if (!to.readers[i]!.taken) this.#stop(to, i);
    } else if (!to.writers[i]!.taken && this.#rules.dropsUntakenWriters) this.#reset(to, i);
  }

  #writerMoves(state: State, i: number, add: (name: string, change: (to: State) => void) => void): void {
    const writer = state.writers[i]!;
    const { state: is, queued, sent, granted } = writer;
    const side = this.program.streams[i]!.writer;
    const holds = this.#holds(side, i, writer.taken);
    if (is === "gone" && !this.#rules.endIsLast && !writer.again)
      add(`writer ${i} resets after its end`, (to) => {
        to.writers[i]!.again = true;
        this.#send(to, side, "reset", i);
      });
    if (is === "open" && holds) {
      if (writer.written < this.program.writes)
        add(`writer ${i} writes`, (to) => {
          to.writers[i]!.queued++;
          to.writers[i]!.written++;
        });
      add(`writer ${i} ends`, (to) => {
        if (to.writers[i]!.queued === 0) this.#sendEnd(to, i);
        else to.writers[i]!.state = "ending";
      });
    }
    if ((is === "open" && holds) || is === "ending") add(`writer ${i} resets`, (to) => this.#reset(to, i));
    if ((is === "open" || is === "ending") && queued > 0 && sent < granted)
      add(`writer ${i} sends`, (to) => {
        const half = to.writers[i]!;
        half.queued--;
        half.sent++;
        this.#send(to, side, "data", i);
        if (half.state === "ending" && half.queued === 0) this.#sendEnd(to, i);
      });
  }

  #readerMoves(state: State, i: number, add: (name: string, change: (to: State) => void) => void): void {
    const reader = state.readers[i]!;
    const side = other(this.program.streams[i]!.writer);
    if (reader.state !== "open" || !this.#holds(side, i, reader.taken)) return;
    if (reader.arrived > reader.read) {
      add(`reader ${i} reads`, (to) => this.#read(to, i, false));
      if (this.program.growth === true && reader.window === this.program.window)
        add(`reader ${i} reads, its window grows`, (to) => this.#read(to, i, true));
    }
    if (this.program.patient !== true) add(`reader ${i} stops`, (to) => this.#stop(to, i));
  }

  // S6: a grant once half the window has been read.
  #read(to: State, i: number, grow: boolean): void {
    const reader = to.readers[i]!;
    reader.read++;
    if (reader.terminal !== "") {
      if (reader.read === reader.arrived) reader.state = "gone";
      return;
    }
    if (reader.read + reader.window - reader.granted < Math.ceil(reader.window / 2)) return;
    if (grow) reader.window *= 2;
    reader.granted = reader.read + reader.window;
    this.#send(to, other(this.program.streams[i]!.writer), "grant", i, reader.granted);
  }

  #receive(to: State, side: Side, frame: Frame): void {
    switch (frame.type) {
      case "request":
        to.handling = "running";
        for (const i of this.#requested) this.#open(to, "B", i);
        return;
      case "cancel":
        if (to.handling === "running") for (const i of this.#requested) this.#drop(to, "B", i); // S10
        return;
      case "result": {
        const wanted = to.call === "pending";
        to.call = "done";
        for (const i of this.#answered) {
          if (wanted || this.#rules.registersUnwanted) this.#open(to, "A", i);
          if (!wanted) this.#drop(to, "A", i);
        }
        return;
      }
      case "error":
        to.call = "done";
        if (this.#rules.bothDropOnError) for (const i of this.#requested) this.#drop(to, "A", i);
        return;
      default:
        if (this.#writes(side, frame.stream)) this.#toWriter(to, frame);
        else this.#toReader(to, frame);
    }
  }

  #toWriter(to: State, { type, stream: i, offset }: Frame): void {
    const writer = to.writers[i]!;
    if (writer.state === "none") to.broken ||= `S13: ${type} for a stream never mentioned`;
    else if (writer.state === "gone") to.late++;
    else if (type === "grant") writer.granted = Math.max(writer.granted, offset);
    else if (type !== "stop") to.broken ||= `L3: ${type} to a writer`;
    else if (writer.state === "ending" && !this.#rules.resetsWhileEnding) this.#gone(to, i);
    else this.#reset(to, i);
  }

  #toReader(to: State, { type, stream: i, offset }: Frame): void {
    const reader = to.readers[i]!;
    const { state } = reader;
    if (state === "none") to.broken ||= `S13: ${type} for a stream never mentioned`;
    else if (state === "gone") {
      to.late++;
      if (reader.terminal !== "") to.broken ||= `S8: ${type} after the ${reader.terminal}`;
    } else if (type === "data") {
      if (reader.terminal !== "") to.broken ||= `S8: data after the ${reader.terminal}`;
      if (++reader.arrived > reader.granted) to.broken ||= "S4: beyond the credit";
      if (state === "stopping") reader.read = reader.arrived;
    } else if (type === "grant" || type === "stop") to.broken ||= `L3: ${type} to a reader`;
    else if (reader.terminal !== "") to.broken ||= `S8: ${type} after the ${reader.terminal}`;
    else if (state === "stopping") {
      if (this.#rules.forgetsStopped) reader.state = "gone";
    } else {
      if (type === "end" && offset !== reader.arrived) to.broken ||= "S7: the end does not match";
      reader.terminal = type as "end" | "reset";
      if (reader.read === reader.arrived) reader.state = "gone";
    }
  }

  #open(to: State, side: Side, i: number): void {
    const { window } = this.program;
    if (this.#writes(side, i)) Object.assign(to.writers[i]!, { state: "open", granted: window });
    else Object.assign(to.readers[i]!, { state: "open", granted: window, window });
  }

  // S2a, S10.
  #drop(to: State, side: Side, i: number): void {
    if (this.#writes(side, i)) this.#reset(to, i);
    else this.#stop(to, i);
  }

  #reset(to: State, i: number): void {
    const { state } = to.writers[i]!;
    if (state !== "open" && state !== "ending") return;
    this.#gone(to, i);
    this.#send(to, this.program.streams[i]!.writer, "reset", i);
  }

  #stop(to: State, i: number): void {
    const reader = to.readers[i]!;
    if (reader.state !== "open") return;
    reader.read = reader.arrived;
    if (reader.terminal !== "") reader.state = "gone"; // it knows already
    else {
      reader.state = this.#rules.remembersStopped ? "stopping" : "gone";
      this.#send(to, other(this.program.streams[i]!.writer), "stop", i);
    }
  }

  #sendEnd(to: State, i: number): void {
    this.#gone(to, i);
    this.#send(to, this.program.streams[i]!.writer, "end", i, to.writers[i]!.sent);
  }

  #gone(to: State, i: number): void {
    to.writers[i]!.state = "gone";
    to.writers[i]!.queued = 0;
  }

  #send(to: State, from: Side, type: Frame["type"], stream = -1, offset = 0): void {
    to.links[from].push({ type, stream, offset });
  }

  #writes(side: Side, i: number): boolean {
    return this.program.streams[i]!.writer === side;
  }

  /** Whether `side` has the half's handle: what B got in a request it has to take first (S11). */
  #holds(side: Side, i: number, taken: boolean): boolean {
    return side === "A" || taken || this.program.streams[i]!.in === "answer";
  }
}
