// Two cores joined by a link, under a clock the test controls. Nothing happens by itself: `settle` carries what is on
// its way until both ends are quiet, `advance` moves the time. What each end saw is in its `seen`.
import type { NotificationMessage } from "@sluice/codec";
import { ReceiveHalf, SendHalf, type Half } from "@sluice/streams";
import { Core } from "./core.ts";
import type { CallOptions, CoreOptions } from "./options.ts";
import type { SessionError } from "./error.ts";
import type { Fault } from "./faults.ts";
import type { Hello } from "./greeting.ts";
import type { Host, HostStream } from "./host.ts";
import type { IncomingCall } from "./incoming.ts";
import type { IncomingNotification } from "./incoming-notification.ts";
import type { OutgoingCall } from "./outgoing.ts";

/** A stream the test mentions: put it anywhere in params or a result; `half` is there once it is on its way. */
export class TestStream implements HostStream {
  readonly of: "bytes" | "items";
  readonly by: "sender" | "receiver";
  half: Half | undefined;

  constructor(of: "bytes" | "items", by: "sender" | "receiver") {
    this.of = of;
    this.by = by;
  }

  attach(half: Half): void {
    this.half = half;
  }
  get send(): SendHalf {
    if (this.half instanceof SendHalf) return this.half;
    throw new Error("no send half here");
  }
  get receive(): ReceiveHalf {
    if (this.half instanceof ReceiveHalf) return this.half;
    throw new Error("no receive half here");
  }
}

/** What became of a call. */
export type Outcome = { readonly result: unknown } | { readonly error: Error };

export interface TestCall {
  readonly call: OutgoingCall | undefined;
  /** How often its waiter was called: never more than once. */
  outcomes: Outcome[];
}

/** One end: a core, and what its driver saw. */
export class TestEnd implements Host {
  readonly core: Core;
  /** Runs a call; by default it stays open until the test answers it. */
  onCall: ((call: IncomingCall) => void) | undefined;
  onNotification: ((message: NotificationMessage, done: () => void) => void) | undefined;
  readonly seen: {
    calls: IncomingCall[];
    notifications: NotificationMessage[];
    received: Half[];
    faults: Fault[];
    peer: (Hello | undefined)[];
    ended: SessionError[];
    draining: number[];
  } = { calls: [], notifications: [], received: [], faults: [], peer: [], ended: [], draining: [] };
  /** Whether a handler uses the streams it is given (S11). */
  takes = true;
  turns = 0;
  /** How the core has paused and resumed the transport. */
  readonly paused: boolean[] = [];

  constructor(options: CoreOptions) {
    this.core = new Core(options, this);
  }

  call(call: IncomingCall): void;
  call(method: string, params?: unknown, options?: CallOptions): TestCall;
  call(first: IncomingCall | string, params?: unknown, options?: CallOptions): TestCall | undefined {
    if (typeof first !== "string") {
      this.seen.calls.push(first);
      this.onCall?.(first);
      return undefined;
    }
    const outcomes: Outcome[] = [];
    const waiter = {
      result: (result: unknown): void => void outcomes.push({ result }),
      error: (error: Error): void => void outcomes.push({ error }),
    };
    return { call: this.core.call(first, params, waiter, options), outcomes };
  }

  wake(): void {}
  schedule(): void {}
  turn(): void {
    this.turns++;
  }
  pause(paused: boolean): void {
    this.paused.push(paused);
  }
  notification(notification: IncomingNotification): void {
    const { message } = notification;
    this.seen.notifications.push(message);
    if (this.onNotification === undefined) notification.done();
    else this.onNotification(message, () => notification.done());
  }
  lift(value: object): HostStream | undefined {
    return value instanceof TestStream ? value : undefined;
  }
  received(half: Half): Half {
    this.seen.received.push(half);
    half.taken = this.takes;
    return half;
  }
  open(peer: Hello | undefined): void {
    this.seen.peer.push(peer);
  }
  draining(call: number): void {
    this.seen.draining.push(call);
  }
  fault(fault: Fault): void {
    this.seen.faults.push(fault);
  }
  ended(error: SessionError): void {
    this.seen.ended.push(error);
  }
}

/** How chunks travel; the default is as they are. May split, merge or hold back, not lose or reorder. */
export type Carry = (chunks: (Uint8Array | string)[]) => (Uint8Array | string)[];

export interface PairOptions {
  readonly unit?: "bytes" | "messages";
  readonly initiator?: Partial<CoreOptions>;
  readonly acceptor?: Partial<CoreOptions>;
  readonly carry?: Carry;
}

/** Initiator `a` and acceptor `b`. */
export class Pair {
  readonly a: TestEnd;
  readonly b: TestEnd;
  now = 0;
  readonly #carry: Carry;

  constructor(options: PairOptions = {}) {
    const unit = options.unit ?? "bytes";
    this.a = new TestEnd({ unit, ...options.initiator, role: "initiator" });
    this.b = new TestEnd({ unit, ...options.acceptor, role: "acceptor" });
    this.#carry = options.carry ?? ((chunks) => chunks);
  }

  /** Starts both and lets them greet. */
  static greeted(options: PairOptions = {}): Pair {
    const pair = new Pair(options);
    pair.a.core.start(0);
    pair.b.core.start(0);
    pair.settle();
    return pair;
  }

  /** Carries everything until both are quiet. Returns the number of writes it took. */
  settle(): number {
    let writes = 0;
    for (let moved = true; moved;) {
      moved = false;
      for (const [from, to] of [
        [this.a, this.b],
        [this.b, this.a],
      ] as const) {
        const chunks = from.core.flush();
        if (chunks.length > 0) {
          writes++;
          moved = true;
        }
        for (const chunk of this.#carry(chunks)) to.core.receive(chunk, this.now);
        if (to.turns > 0) {
          to.turns = 0;
          to.core.turn();
          moved = true;
        }
      }
    }
    return writes;
  }

  /** Moves the time; deadlines fire in order. */
  advance(ms: number): void {
    this.now += ms;
    this.a.core.tick(this.now);
    this.b.core.tick(this.now);
    this.settle();
  }
}
