// The peer's requests: which run, which wait, and that each is answered exactly once.
import { Deque, move, type Table } from "@sluice/streams";
import { CancelledError, type SessionError } from "@sluice/core";
import { ErrorCode, RapaceError } from "./error.ts";
import { FLAG, type Frame } from "./frame.ts";
import type { Limits } from "./limits.ts";
import { own } from "./own.ts";
import type { Reader, ReadPolicy } from "./reader.ts";
import type { Writer } from "./writer.ts";

export type RequestState = "waiting" | "running" | "streaming" | "cancelled" | "answered" | "lost";
type RequestEvent = "start" | "stream" | "answer" | "cancel" | "lose";

/** `streaming`: its answer is on its way, item by item. `cancelled`: it runs on, and nothing more is said of it (R9). */
export const REQUEST: Table<RequestState, RequestEvent> = {
  waiting: { start: "running", answer: "answered", cancel: "cancelled", lose: "lost" },
  running: { stream: "streaming", answer: "answered", cancel: "cancelled", lose: "lost" },
  streaming: { answer: "answered", cancel: "cancelled", lose: "lost" },
  cancelled: { answer: "answered", cancel: "cancelled", lose: "lost" },
  answered: {},
  lost: {},
};

/** What a request needs to be answered by. */
export interface Answerer {
  /** Says it, where the request may still say something. */
  answer(request: Request, outcome: Uint8Array | RapaceError): void;
  /** It is over: another may run. */
  settled(request: Request): void;
  stream(request: Request): Writer;
  body(request: Request, policy: ReadPolicy): Reader;
}

export class Request {
  /** 0: a notification. */
  readonly channel: number;
  readonly method: number;
  readonly flags: number;
  payload: Uint8Array;
  /** ns of the sender's clock. */
  readonly deadline: bigint | undefined;
  /** Called once when the peer cancels it, or the session ends, while it runs. */
  onCancel: ((reason: Error) => void) | undefined;
  /** Why it was cancelled. */
  cancelled: Error | undefined;
  /** Whether it takes one of the places of those that run. */
  started = false;
  readonly #answerer: Answerer;
  #state: RequestState = "waiting";

  constructor(frame: Frame, payload: Uint8Array, answerer: Answerer) {
    this.channel = frame.channel;
    this.method = frame.method;
    this.flags = frame.flags;
    this.deadline = frame.deadline;
    this.payload = payload;
    this.#answerer = answerer;
  }

  get state(): RequestState {
    return this.#state;
  }
  /** Whether the peer wants no single answer: it waits for a stream, or on channel 0 for nothing. */
  get noReply(): boolean {
    return (this.flags & FLAG.noReply) !== 0 || this.channel === 0;
  }
  /** Whether the peer goes on to send chunks on its channel. */
  get hasBody(): boolean {
    return (this.flags & FLAG.eos) === 0 && this.channel !== 0;
  }
  get isOver(): boolean {
    return this.#state === "answered" || this.#state === "lost";
  }

  move(event: RequestEvent): void {
    this.#state = move(REQUEST, this.#state, event);
  }

  /** Answers it. The first answer counts; returns false for any other, and after the session's end. */
  succeed(payload: Uint8Array): boolean {
    return this.#settle(payload);
  }
  fail(error: RapaceError): boolean {
    return this.#settle(error);
  }

  /** Begins an answer of many items. @throws Error where it has begun, or is over. */
  stream(): Writer {
    if (this.#state !== "running")
      throw new Error(`the request is ${this.#state}: it cannot be answered by a stream`);
    return this.#answerer.stream(this);
  }

  /** What the peer sends behind the request. */
  body(policy: ReadPolicy): Reader {
    return this.#answerer.body(this, policy);
  }

  #settle(outcome: Uint8Array | RapaceError): boolean {
    if (this.isOver) return false;
    const silent = this.#state === "cancelled" || this.#state === "streaming";
    this.move("answer");
    if (!silent) this.#answerer.answer(this, outcome);
    this.#answerer.settled(this);
    return true;
  }
}

export class Requests {
  readonly #limits: Limits;
  readonly #start: (request: Request) => void;
  readonly #all: Map<number, Request> = new Map();
  readonly #notifications: Set<Request> = new Set();
  readonly #queue: Deque<Request> = new Deque();
  #running = 0;
  #waitingBytes = 0;
  #starting = false;

  constructor(limits: Limits, start: (request: Request) => void) {
    this.#limits = limits;
    this.#start = start;
  }

  get running(): number {
    return this.#running;
  }
  get waiting(): number {
    return this.#queue.length;
  }
  find(channel: number): Request | undefined {
    return this.#all.get(channel);
  }

  /** Starts it or lets it wait. False: too much waits already, it was not taken. */
  add(request: Request): boolean {
    const waits = this.#running >= this.#limits.running || this.#queue.length > 0;
    if (waits && !this.#hasRoom(request)) return false;
    if (request.channel === 0) this.#notifications.add(request);
    else this.#all.set(request.channel, request);
    if (!waits) this.#run(request);
    else {
      request.payload = own(request.payload);
      this.#queue.push(request);
      this.#waitingBytes += request.payload.length;
    }
    return true;
  }

  #hasRoom({ payload }: Request): boolean {
    const { waiting, waitingBytes } = this.#limits;
    return this.#queue.length < waiting && this.#waitingBytes + payload.length <= waitingBytes;
  }

  /** R9: it runs on, but nothing more is said of it. */
  cancel(channel: number): Request | undefined {
    const request = this.#all.get(channel);
    if (request === undefined || request.isOver || request.state === "cancelled") return undefined;
    const waited = request.state === "waiting";
    request.move("cancel");
    request.cancelled = new CancelledError("the peer cancelled the call");
    // One that has not started never does; it leaves the queue when it is its turn.
    if (waited) request.succeed(NOTHING);
    else request.onCancel?.(request.cancelled);
    return request;
  }

  /** It is over: the next may start. */
  done(request: Request): void {
    if (request.channel === 0) this.#notifications.delete(request);
    else this.#all.delete(request.channel);
    if (!request.started || this.#running === 0) return; // 0: the session is over
    this.#running--;
    this.#startNext();
  }

  /** Takes every one out that is not over. Returns what tells their handlers, the latest first. */
  lose(reason: SessionError): () => void {
    const requests = [...this.#all.values(), ...this.#notifications].reverse();
    this.#all.clear();
    this.#notifications.clear();
    this.#queue.clear();
    this.#waitingBytes = 0;
    this.#running = 0;
    const ran = requests.filter(({ started }) => started);
    for (const request of requests) request.move("lose");
    return () => {
      for (const request of ran) {
        if (request.cancelled !== undefined) continue;
        request.cancelled = reason;
        request.onCancel?.(reason);
      }
    };
  }

  /** Those that wait for an answer. */
  *unanswered(): Iterable<Request> {
    for (const request of this.#all.values())
      if (request.state === "waiting" || request.state === "running") yield request;
  }

  // One that is answered at once comes back here: the loop that is already running goes on, without a recursion.
  #startNext(): void {
    if (this.#starting) return;
    this.#starting = true;
    while (this.#running < this.#limits.running) {
      const next = this.#queue.shift();
      if (next === undefined) break;
      this.#waitingBytes -= next.payload.length;
      if (!next.isOver) this.#run(next);
    }
    this.#starting = false;
  }

  #run(request: Request): void {
    this.#running++;
    request.started = true;
    request.move("start");
    this.#start(request);
  }
}

const NOTHING = new Uint8Array(0);

export function tooMany(): RapaceError {
  return new RapaceError(ErrorCode.resourceExhausted, "too many requests wait (limits.waiting)");
}
