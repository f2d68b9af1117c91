// One stream of events to a client, which outlives the responses that carry it. What is written waits in a queue, where
// it counts against the session's high water; when a response has room, events go to the store first and then out. A
// client that was cut off comes back with the last id it saw: the store gives what was handed over since, and the
// queue goes on from there. Nothing is handed over meanwhile, so the order is always that of writing.
//
// The stream of a request hands over to the store also while nobody reads it: its answer must not hold up the session.
// The stream that GET opens holds on to what it has: a client without it misses what nobody asked for.
import { EventBody } from "./event-body.ts";
import { formatEventId } from "./event-id.ts";
import type { EventStore, KeptEvent } from "./event-store.ts";
import { encodeEvent, encodeRetry } from "./sse.ts";

/** An event that waits. */
export interface WaitingEvent {
  readonly seq: number;
  readonly type?: "end";
  readonly data: string;
}

/** What a stream needs of its session. */
export interface EventStreamOwner {
  readonly id: string;
  readonly store: EventStore;
  /** ms between two signs of life, and ms after which a client that was cut off should come back. */
  readonly keepAlive: number;
  readonly retry: number;
  /** So many UTF-16 units wait no more. */
  onTaken(size: number): void;
  /** A response of this stream has come or gone, or the stream is over. */
  onChange(stream: EventStream): void;
  onStoreFailure(cause: unknown): void;
}

/** Why a stream cannot go on where a client asks it to. `unknown`: it was never there. `forgotten`: not all is kept. */
export type ResumeFault = "unknown" | "forgotten" | "replaced";

/** UTF-16 units handed over at a time. */
const BATCH = 64 * 1024;

export class EventStream {
  readonly number: number;
  readonly #owner: EventStreamOwner;
  #queue: WaitingEvent[] = [];
  /** The last event that was handed over, to a response or to the store alone; 0 before the first. */
  #sent: number;
  /** What is stored and was not sent yet. */
  #ready: readonly KeptEvent[] = [];
  #body: EventBody | undefined;
  #writing: "open" | "ended" = "open";
  #handing: "idle" | "storing" | "replaying" = "idle";
  /** Settles when what is being stored is stored. */
  #stored: Promise<unknown> = Promise.resolve();
  /** The resume under way; a later one replaces it. */
  #resume: object | undefined;

  /** `sent`: what was handed over before. */
  constructor(number: number, owner: EventStreamOwner, sent: number = 0) {
    this.number = number;
    this.#owner = owner;
    this.#sent = sent;
  }

  /** Whether somebody reads it. */
  get connected(): boolean {
    return this.#body !== undefined || this.#resume !== undefined;
  }
  /** Whether all that was written has been handed over. */
  get flushed(): boolean {
    return this.#queue.length === 0 && this.#handing === "idle" && this.#ready.length === 0;
  }
  /** Whether it is over: ended, and all of it handed over. */
  get over(): boolean {
    return this.#writing === "ended" && this.flushed;
  }

  /** The last event that was written; 0 before the first. */
  get last(): number {
    return this.#queue.at(-1)?.seq ?? this.#sent;
  }

  /** Whether nothing that was handed over comes after `seq`. */
  passed(seq: number): boolean {
    return seq >= this.#sent;
  }

  write(event: WaitingEvent): void {
    this.#queue.push(event);
    this.#hand();
  }

  /** No more will be written. */
  end(): void {
    this.#writing = "ended";
    this.#hand();
  }

  /** Gives its waiting events away, to another stream: those after the event `seq`. */
  take(seq: number): WaitingEvent[] {
    const from = this.#queue.findIndex((event) => event.seq > seq);
    return from < 0 ? [] : this.#queue.splice(from);
  }

  /** A response that carries it from here on. `primed`: it begins with an id to go on from. */
  connect(primed: boolean): ReadableStream<Uint8Array> {
    return this.#attach(this.#ready[0]?.previous ?? this.#sent, primed);
  }

  /** A response that goes on after the event `seq`, and replaces the one there is. */
  async resume(seq: number, primed: boolean): Promise<ReadableStream<Uint8Array> | ResumeFault> {
    if (seq > this.#sent) return "unknown";
    const resume = (this.#resume = {});
    this.#body?.close();
    this.#body = undefined;
    let kept: readonly KeptEvent[] | "forgotten" = "forgotten";
    try {
      await this.#stored;
      // What was being stored is asked for, too; from now on nothing is handed over.
      this.#handing = "replaying";
      kept = await replay(this.#owner, this.number, seq, this.#sent);
    } catch (cause) {
      this.#owner.onStoreFailure(cause);
    }
    if (this.#resume !== resume) return "replaced";
    this.#handing = "idle";
    this.#resume = undefined;
    if (kept === "forgotten") {
      this.#owner.onChange(this);
      this.#hand();
      return kept;
    }
    this.#ready = kept;
    const readable = this.#attach(seq, primed);
    this.#hand();
    return readable;
  }

  /** Ends it at once. `last` is a last word to whoever reads it. */
  abort(last: string = ""): void {
    this.#queue = [];
    this.#ready = [];
    this.#writing = "ended";
    this.#handing = "idle";
    this.#resume = undefined;
    this.#body?.close(last);
    this.#body = undefined;
  }

  /** `seq`: where the response begins. A client that is cut off before its first event knows it all the same, if primed. */
  #attach(seq: number, primed: boolean): ReadableStream<Uint8Array> {
    const priming = primed ? encodeEvent({ id: formatEventId(this.number, seq), data: "" }) : "";
    const body: EventBody = new EventBody(
      {
        onRoom: () => this.#hand(),
        onGone: () => {
          if (this.#body !== body) return;
          this.#body = undefined;
          this.#owner.onChange(this);
          this.#hand();
        },
      },
      // Says when to come back, and has servers send the headers.
      encodeRetry(this.#owner.retry) + priming,
      this.#owner.keepAlive,
    );
    this.#body = body;
    this.#owner.onChange(this);
    return body.readable;
  }

  /** Hands over what can go. */
  #hand(): void {
    while (this.#handing === "idle" && !this.flushed) {
      if (this.#body === undefined) {
        if (this.number === 0 || this.#resume !== undefined) return;
        this.#ready = [];
      } else if (!this.#body.wanted) return;
      else if (this.#ready.length > 0) {
        this.#body.send(encodeEvents(this.number, this.#ready));
        this.#ready = [];
        continue;
      }
      if (this.#queue.length > 0) this.#store();
    }
    if (!this.over) return;
    this.#body?.close();
    this.#body = undefined;
    this.#owner.onChange(this);
  }

  /** Takes some events off the queue and gives them to the store. */
  #store(): void {
    const events: KeptEvent[] = [];
    const waits: Promise<void>[] = [];
    let size = 0;
    try {
      for (const event of this.#queue) {
        if (size >= BATCH) break;
        const kept: KeptEvent = { ...event, previous: this.#sent };
        this.#sent = event.seq;
        size += event.data.length;
        events.push(kept);
        const wait = this.#owner.store.append(this.#owner.id, this.number, kept);
        if (wait !== undefined) waits.push(wait);
      }
    } catch (cause) {
      waits.push(Promise.reject(cause));
    }
    this.#queue.splice(0, events.length);
    this.#ready = events;
    if (waits.length > 0) {
      this.#handing = "storing";
      this.#stored = Promise.all(waits).then(
        () => {
          if (this.#handing === "storing") this.#handing = "idle";
          this.#hand();
        },
        (cause: unknown) => this.#owner.onStoreFailure(cause),
      );
    }
    this.#owner.onTaken(size);
  }
}

/** What is kept of a stream after `seq` and up to `last`; `forgotten` where something is missing. */
export async function replay(
  owner: Pick<EventStreamOwner, "id" | "store">,
  stream: number,
  seq: number,
  last: number,
): Promise<readonly KeptEvent[] | "forgotten"> {
  if (seq === last) return [];
  const kept = (await owner.store.after(owner.id, stream, seq)).filter((event) => event.seq <= last);
  let at = seq;
  for (const event of kept) {
    if (event.previous > at) return "forgotten";
    at = event.seq;
  }
  return last === Infinity || at === last ? kept : "forgotten";
}

function encodeEvents(stream: number, events: readonly KeptEvent[]): string {
  let text = "";
  for (const { seq, type, data } of events)
    text += encodeEvent({ id: formatEventId(stream, seq), ...(type && { type }), data });
  return text;
}
