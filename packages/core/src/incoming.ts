// The peer's calls and notifications: which run, which wait, and that each call is answered exactly once. They start in
// the order they came; one whose lane is busy lets others of other lanes pass.
import type { Id, NotificationMessage, Params, RequestMessage } from "@sluice/codec";
import { Deque, may, move, type Half, type Table } from "@sluice/streams";
import type { BatchAnswer } from "./batch.ts";
import { CallList } from "./call-list.ts";
import type { Deadline } from "./deadlines.ts";
import type { IncomingNotification } from "./incoming-notification.ts";
import type { Limits } from "./limits.ts";
import type { Slot } from "./mention-in.ts";

const NONE: readonly Half[] = [];

export type IncomingState = "waiting" | "running" | "cancelled" | "answered" | "lost";
type IncomingEvent = "start" | "cancel" | "answer" | "lose";

/** `cancelled` runs on until its handler answers (C7). */
export const INCOMING_CALL: Table<IncomingState, IncomingEvent> = {
  waiting: { start: "running", answer: "answered", lose: "lost" },
  running: { cancel: "cancelled", answer: "answered", lose: "lost" },
  cancelled: { cancel: "cancelled", answer: "answered", lose: "lost" },
  answered: {},
  lost: {},
};

/** What a call needs to be answered by. */
export interface Answerer {
  succeed(call: IncomingCall, result: unknown): void;
  fail(call: IncomingCall, error: Error): void;
  /** A result after the answer: its streams are nobody's. */
  late(call: IncomingCall, result: unknown): void;
}

export class IncomingCall {
  readonly kind = "call" as const;
  readonly message: RequestMessage;
  /** Size of its message, as what waits is counted. */
  readonly size: number;
  /** The streams its params mentioned, and where they stand. */
  readonly streams: readonly Half[];
  readonly slots: readonly (Slot & { readonly half: Half | undefined })[];
  readonly batch: BatchAnswer | undefined;
  deadline: Deadline | undefined;
  /** Called once when the peer cancels, the deadline passes or the session ends while it runs. */
  onCancel: ((reason: Error) => void) | undefined;
  /** Why it was cancelled. */
  cancelled: Error | undefined;
  lane: string | undefined;
  /** Its place among those that have not been answered: see `CallList`. */
  listed = false;
  before: IncomingCall | undefined;
  after: IncomingCall | undefined;
  /** Whether it takes one of the places of those that run. */
  started = false;
  /** Called once it has been answered and the streams of its result are over. */
  onReleased: (() => void) | undefined;
  readonly #answerer: Answerer;
  #isReleased = false;
  #state: IncomingState = "waiting";

  constructor(
    message: RequestMessage,
    size: number,
    slots: readonly (Slot & { readonly half: Half | undefined })[],
    batch: BatchAnswer | undefined,
    answerer: Answerer,
  ) {
    this.message = message;
    this.size = size;
    this.slots = slots;
    this.streams = slots.length === 0 ? NONE : slots.flatMap((slot) => slot.half ?? []);
    this.batch = batch;
    this.#answerer = answerer;
  }

  get id(): Id {
    return this.message.id;
  }
  get method(): string {
    return this.message.method;
  }
  /** Params, with the peer's streams in their places once it runs. */
  get params(): Params | undefined {
    return this.message.params;
  }
  get state(): IncomingState {
    return this.#state;
  }
  get isOver(): boolean {
    return this.#state === "answered" || this.#state === "lost";
  }

  move(event: IncomingEvent): void {
    this.#state = move(INCOMING_CALL, this.#state, event);
  }

  may(event: IncomingEvent): boolean {
    return may(INCOMING_CALL, this.#state, event);
  }

  /** Whether it has been answered and the streams of its result are over, or the session is. */
  get isReleased(): boolean {
    return this.#isReleased || this.#state === "lost";
  }

  released(): void {
    this.#isReleased = true;
    this.onReleased?.();
  }

  /** Answers with a result. The first answer counts; returns false for any other, and after the session's end. */
  succeed(result: unknown): boolean {
    if (!this.isOver) {
      this.#answerer.succeed(this, result);
      return true;
    }
    this.#answerer.late(this, result);
    return false;
  }

  /** Answers with an error: an `RpcError` as it is, anything else as -32603 without its text. */
  fail(error: Error): boolean {
    if (this.isOver) return false;
    this.#answerer.fail(this, error);
    return true;
  }
}

export type Incoming = IncomingCall | IncomingNotification;

/** Names the lane of a message: those of one lane run one at a time, in order. Undefined: it is in none. */
export type LaneOf = (message: RequestMessage | NotificationMessage) => string | undefined;

export class IncomingCalls {
  readonly #limits: Limits;
  readonly #laneOf: LaneOf | undefined;
  readonly #start: (incoming: Incoming) => void;
  readonly #calls: CallList = new CallList();
  #running = 0;
  readonly #ready: Deque<Incoming> = new Deque();
  // Lanes that are busy, with what waits for each.
  readonly #lanes: Map<string, Deque<Incoming>> = new Map();
  #waiting = 0;
  #waitingBytes = 0;
  #starting = false;

  constructor(limits: Limits, laneOf: LaneOf | undefined, start: (incoming: Incoming) => void) {
    this.#limits = limits;
    this.#laneOf = laneOf;
    this.#start = start;
  }

  get running(): number {
    return this.#running;
  }
  get waiting(): number {
    return this.#waiting;
  }

  find(id: Id): IncomingCall | undefined {
    return this.#calls.find(id);
  }

  /** The calls that have not been answered, the latest first. */
  all(): IncomingCall[] {
    return this.#calls.all();
  }

  /** Registers a call's id: from now on it can be cancelled, and its id is taken. */
  know(call: IncomingCall): void {
    this.#calls.add(call);
  }

  /** Starts it or lets it wait. False: too much waits already, it was not taken. */
  add(incoming: Incoming): boolean {
    const lane = this.#laneOf?.(incoming.message);
    const queue = lane === undefined ? undefined : this.#lanes.get(lane);
    if (queue === undefined && this.#ready.length === 0 && this.#running < this.#limits.calls) {
      if (lane !== undefined) this.#lanes.set(lane, new Deque());
      incoming.lane = lane;
      this.#run(incoming);
      return true;
    }
    const { waiting, waitingBytes } = this.#limits;
    if (this.#waiting >= waiting || this.#waitingBytes + incoming.size > waitingBytes) return false;
    this.#waiting++;
    this.#waitingBytes += incoming.size;
    incoming.lane = lane;
    if (queue !== undefined) queue.push(incoming);
    else {
      if (lane !== undefined) this.#lanes.set(lane, new Deque());
      this.#ready.push(incoming);
    }
    return true;
  }

  /** It has been answered, or its handler has settled: the next may start. */
  done(incoming: Incoming): void {
    if (incoming.kind === "call") this.#calls.remove(incoming);
    if (!incoming.started || this.#running === 0) return; // 0: the session is over
    incoming.started = false;
    this.#running--;
    this.#free(incoming.lane);
    this.#startNext();
  }

  /** Takes every call out that has not been answered, the latest first. */
  clear(): IncomingCall[] {
    this.#running = 0;
    this.#lanes.clear();
    this.#ready.clear();
    this.#waiting = 0;
    this.#waitingBytes = 0;
    return this.#calls.clear();
  }

  #free(lane: string | undefined): void {
    if (lane === undefined) return;
    const next = this.#lanes.get(lane)?.shift();
    if (next === undefined) this.#lanes.delete(lane);
    else this.#ready.push(next);
  }

  // A handler that answers at once comes back here: the loop that is already running goes on, without a recursion.
  #startNext(): void {
    if (this.#starting) return;
    this.#starting = true;
    while (this.#running < this.#limits.calls) {
      const next = this.#ready.shift();
      if (next === undefined) break;
      this.#waiting--;
      this.#waitingBytes -= next.size;
      if (next.kind === "call" && next.isOver) this.#free(next.lane);
      else this.#run(next);
    }
    this.#starting = false;
  }

  #run(incoming: Incoming): void {
    incoming.started = true;
    this.#running++;
    this.#start(incoming);
  }
}
