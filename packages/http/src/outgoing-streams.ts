// Which stream a message of the server goes to. An answer: to that of its request; and so does the progress of one that
// has no answer yet, by its token. All else: to the one that the client opened by GET; while it never did, or has been
// away from it for long, to that of the oldest request that is read; and with none of these it waits for the first of
// them. Each message goes to one (MCP 2025-11-25, "Multiple Connections"), and `seq` grows on each stream.
import type { TransportError } from "@sluice/transport";
import { idKey, type RequestId } from "./envelope.ts";
import { EventStream, replay, type EventStreamOwner, type ResumeFault } from "./event-stream.ts";
import type { Cursor } from "./event-id.ts";
import type { EventStore, KeptEvent } from "./event-store.ts";
import { JsonAnswer } from "./json-answer.ts";
import { encodeEvent } from "./sse.ts";

/** What the streams need of the transport they belong to. */
export interface OutgoingStreamsOwner extends Omit<EventStreamOwner, "onChange"> {
  /** ms that a client may be away from the stream it opened by GET before what is for it goes elsewhere. */
  readonly idle: number;
  /** Something was handed over, or whoever read has gone. */
  onSettled(): void;
}

/** A request without an answer. */
interface Call {
  readonly to: EventStream | JsonAnswer;
  /** What its progress is told by, where that goes to its stream. */
  readonly token: string | undefined;
}

export class OutgoingStreams {
  readonly #owner: OutgoingStreamsOwner;
  readonly #streamOwner: EventStreamOwner;
  /** What GET opens. */
  readonly #listening: EventStream;
  /** When the client was last seen there; -Infinity before the first time. */
  #heard = Number.NEGATIVE_INFINITY;
  /** Requests without an answer, in the order they came. */
  readonly #calls = new Map<string, Call>();
  /** Where the progress of these goes, by token: never more than there are calls. */
  readonly #progress = new Map<string, EventStream>();
  /** Streams of requests that are not over, by number. */
  readonly #streams = new Map<number, EventStream>();
  /** Streams that were over, and are read once more. */
  readonly #replays = new Map<number, EventStream>();
  #numbers = 0;
  #seq = 0;

  constructor(owner: OutgoingStreamsOwner) {
    this.#owner = owner;
    this.#streamOwner = { ...owner, onChange: (stream) => this.#onChange(stream) };
    this.#listening = new EventStream(0, this.#streamOwner);
  }

  /** Responses that are read. */
  get connected(): number {
    let count = this.#listening.connected ? 1 : 0;
    for (const stream of this.#streams.values()) if (stream.connected) count++;
    return count + this.#replays.size;
  }
  /** Requests without an answer, and streams that are read. */
  get size(): number {
    let count = this.#streams.size + this.#replays.size;
    for (const { to } of this.#calls.values()) if (to instanceof JsonAnswer) count++;
    return this.#listening.connected ? count + 1 : count;
  }

  /** Whether all that was written has been handed over, or there is nobody who would read it. */
  flushed(gone: boolean): boolean {
    if (this.#streams.size > 0) return false;
    return this.#listening.flushed || (gone && !this.#listening.connected);
  }

  has(id: RequestId): boolean {
    return this.#calls.has(idKey(id));
  }

  /**
   * A request has come; its answer goes to what this gives, and before it the progress told by `token`. Of two requests
   * with one token, which MCP forbids, the first has it until it is answered.
   */
  open(id: RequestId, token: RequestId | undefined, primed: boolean): ReadableStream<Uint8Array> {
    const stream = new EventStream(++this.#numbers, this.#streamOwner);
    const key = token === undefined ? undefined : idKey(token);
    const own = key === undefined || this.#progress.has(key) ? undefined : key;
    if (own !== undefined) this.#progress.set(own, stream);
    this.#calls.set(idKey(id), { to: stream, token: own });
    this.#streams.set(stream.number, stream);
    const readable = stream.connect(primed);
    this.#divert();
    return readable;
  }

  openJson(id: RequestId, headers: Readonly<Record<string, string>>): JsonAnswer {
    const answer = new JsonAnswer(headers);
    this.#calls.set(idKey(id), { to: answer, token: undefined });
    return answer;
  }

  /** Takes an answer; false where it is that of no request, or was given before. */
  answer(id: RequestId, data: string): boolean {
    const call = this.#calls.get(idKey(id));
    if (call === undefined) return false;
    this.#calls.delete(idKey(id));
    const { to, token } = call;
    if (token !== undefined) this.#progress.delete(token);
    if (to instanceof JsonAnswer) {
      this.#owner.onTaken(data.length);
      to.answer(data);
    } else {
      to.write({ seq: ++this.#seq, data });
      to.end();
    }
    return true;
  }

  /** Takes a request or notification of the server. `token`: it tells the progress of the request with this one. */
  write(data: string, token: RequestId | undefined): void {
    const stream = token === undefined ? undefined : this.#progress.get(idKey(token));
    // What waits was written before: it can go to that stream now, and not afterwards.
    if (stream !== undefined) this.#divert();
    (stream ?? this.#listening).write({ seq: ++this.#seq, data });
    if (stream === undefined) this.#divert();
  }

  /** No more will be written: requests that are not answered never will be. */
  end(data: string): void {
    this.#listening.write({ seq: ++this.#seq, type: "end", data });
    this.#listening.end();
    for (const { to } of this.#calls.values()) to.end();
    this.#forgetCalls();
  }

  /** Opens the stream for messages that answer nothing. `over`: it has ended, and all of it was sent. */
  listen(primed: boolean): ReadableStream<Uint8Array> | "conflict" | "over" {
    if (this.#listening.over) return "over";
    return this.#listening.connected ? "conflict" : this.#listening.connect(primed);
  }

  /** Goes on where a client was cut off. `full`: with the stream more than `most` would be read. */
  async resume(
    cursor: Cursor,
    primed: boolean,
    most: number,
  ): Promise<ReadableStream<Uint8Array> | ResumeFault | "over" | "full"> {
    const { stream: number, seq } = cursor;
    const stream = number === 0 ? this.#listening : this.#streams.get(number);
    if (stream !== undefined)
      return stream.over && stream.passed(seq) ? "over" : await stream.resume(seq, primed);
    if (number > this.#numbers) return "unknown";
    if (this.size >= most) return "full";
    try {
      const kept = await replay(this.#owner, number, seq, Number.POSITIVE_INFINITY);
      return kept === "forgotten" || kept.length === 0 ? "forgotten" : this.#replay(cursor, kept, primed);
    } catch (cause) {
      this.#owner.onStoreFailure(cause);
      return "forgotten";
    }
  }

  /** Reads a stream that is over once more. */
  #replay(
    { stream: number, seq }: Cursor,
    kept: readonly KeptEvent[],
    primed: boolean,
  ): ReadableStream<Uint8Array> {
    const owner: EventStreamOwner = {
      ...this.#streamOwner,
      store: KEPT_ALREADY,
      onTaken: () => {},
      onChange: (changed) => {
        if (changed.over && this.#replays.get(number) === changed) this.#replays.delete(number);
        this.#owner.onSettled();
      },
    };
    const stream = new EventStream(number, owner, seq);
    this.#replays.get(number)?.abort();
    this.#replays.set(number, stream);
    const body = stream.connect(primed);
    for (const event of kept) stream.write(event);
    stream.end();
    return body;
  }

  /** Ends everything at once. */
  abort(error: TransportError | undefined): void {
    const data = JSON.stringify({ cause: error?.code ?? "aborted" });
    for (const { to } of this.#calls.values()) if (to instanceof JsonAnswer) to.end();
    this.#forgetCalls();
    for (const stream of [...this.#streams.values(), ...this.#replays.values()]) stream.abort();
    this.#streams.clear();
    this.#replays.clear();
    this.#listening.abort(encodeEvent({ type: "abort", data }));
  }

  /** Messages that wait for a GET which nobody makes go out with a request that is read. */
  #divert(): void {
    const { connected, flushed, over } = this.#listening;
    if (connected || flushed || over || performance.now() - this.#heard < this.#owner.idle) return;
    for (const { to } of this.#calls.values()) {
      if (to instanceof JsonAnswer || !to.connected) continue;
      // What is older than its last progress would be out of order there: that waits for another.
      for (const event of this.#listening.take(to.last)) to.write(event);
      if (this.#listening.flushed) return;
    }
  }

  #forgetCalls(): void {
    this.#calls.clear();
    this.#progress.clear();
  }

  #onChange(stream: EventStream): void {
    if (stream === this.#listening) this.#heard = performance.now();
    else if (stream.over) this.#streams.delete(stream.number);
    this.#owner.onSettled();
  }
}

/** What is sent once more is not kept once more. */
const KEPT_ALREADY: EventStore = { append() {}, after: () => [], forget() {} };
