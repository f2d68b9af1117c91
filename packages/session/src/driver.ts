// Drives a core over a transport: carries bytes both ways, keeps the clock, and turns what the core tells into calls of
// handlers and streams for whoever holds them.
import {
  Core,
  type CallOptions,
  SessionError,
  type CoreOptions,
  type Fault,
  type Hello,
  type Host,
  type HostStream,
  type IncomingCall,
  type IncomingNotification,
  type OutgoingCall,
  type Waiter,
} from "@sluice/core";
import type { Half } from "@sluice/streams";
import type { Chunk, Transport, TransportError, TransportEvents } from "@sluice/transport";
import { CAUSE } from "./close-cause.ts";
import { lift, type Lifter } from "./lift.ts";
import { Lifetime } from "./lifetime.ts";
import { macrotask } from "./macrotask.ts";

/** Who waits for an answer, and makes the streams in it into what its door calls streams. */
export interface DoorWaiter extends Waiter {
  receive?(half: Half): unknown;
}

/** What runs the peer's calls. */
export interface Dispatcher {
  /** Must answer it, now or later. Must not throw. */
  call(call: IncomingCall): void;
  /** Must call its `done`, now or later. Must not throw. */
  notification(notification: IncomingNotification): void;
  /** The peer sends no more. What it returns is called once our calls have failed for it (L2). */
  inputEnds?(): () => void;
  /** What a stream in the params of `call` is to its handler. */
  receive(half: Half, call: IncomingCall): unknown;
}

export interface DriverOptions {
  readonly core: Omit<CoreOptions, "unit" | "quotes" | "framesFromStart">;
  readonly transport: Transport;
  readonly lifter: Lifter | undefined;
  /** Runs all that a chunk sets off. */
  readonly enter: ((work: () => void) => void) | undefined;
  /** What a stream in a result is, where its waiter does not say. */
  readonly receive: (half: Half) => unknown;
  readonly onFault: ((fault: Fault) => void) | undefined;
  readonly onDraining: ((reason: string) => void) | undefined;
  readonly onFinalizerError: (error: unknown, owner: string) => void;
}

export class Driver implements Host, TransportEvents {
  readonly core: Core;
  readonly lifetime: Lifetime;
  /** Settles once the greeting is over. Rejects with the reason where the session ends before. */
  readonly opened: Promise<Hello | undefined>;
  /** Settles once finalizers have run and the transport is gone, with the reason the session ended. */
  readonly closed: Promise<SessionError>;
  readonly #options: DriverOptions;
  readonly #transport: Transport;
  #dispatcher!: Dispatcher;
  #resolveOpened!: (peer: Hello | undefined) => void;
  #rejectOpened!: (error: SessionError) => void;
  #resolveClosed!: (error: SessionError) => void;
  #writable = true;
  #pauses = 0;
  #flushing = false;
  // Writes made a microtask after what they carry was said, since the last chunk or macrotask.
  #streak = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #drained: (() => void)[] = [];
  // Settles once finalizers that wait have run; undefined where none does.
  #finalizing: Promise<void> | undefined;

  constructor(options: DriverOptions) {
    this.#options = options;
    this.#transport = options.transport;
    this.lifetime = new Lifetime("the session", options.onFinalizerError);
    const { unit, quotes, encoding } = options.transport;
    const core: CoreOptions = {
      ...options.core,
      unit,
      quotes: quotes ?? false,
      framesFromStart: encoding === "frames",
      allocate: options.transport.allocate?.bind(options.transport),
    };
    this.core = new Core(encoding === "json" ? { ...core, encodings: ["json"] } : core, this);
    this.opened = new Promise((resolve, reject) => {
      this.#resolveOpened = resolve;
      this.#rejectOpened = reject;
    });
    this.opened.catch(() => {}); // `closed` tells too
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  /** Starts the transport; what arrives is run by `dispatcher`, which may know the session that this drives. */
  start(dispatcher: Dispatcher): void {
    this.#dispatcher = dispatcher;
    this.#transport.start(this);
    this.core.start(clock());
  }

  get now(): number {
    return clock();
  }

  /**
   * `Core.call`. A call that is the only one goes out here and now: the next is made when this one is answered, so there
   * is nothing to share a write with, and the peer can start a microtask earlier.
   */
  send(method: string, params: unknown, waiter: Waiter, options?: CallOptions): OutgoingCall | undefined {
    if (this.#flushing || this.core.calls.pending > 0) {
      const call = this.core.call(method, params, waiter, options);
      if (this.core.outbox.isBurst) this.#write();
      return call;
    }
    this.#flushing = true;
    const call = this.core.call(method, params, waiter, options);
    this.#flush();
    return call;
  }

  /** `Core.notify`. Settles once there is room for more, or the session is over: mostly at once. */
  notify(method: string, params: unknown): Promise<void> {
    this.core.notify(method, params);
    if (this.core.outbox.isBurst) this.#write();
    const { outbox, limits, error } = this.core;
    if (outbox.bytes < limits.highWater || error !== undefined) return Promise.resolve();
    return new Promise((resolve) => this.#drained.push(resolve));
  }

  // What the transport tells.

  // What is produced while a chunk is processed goes out in one write right behind it.
  onData(chunk: Chunk): void {
    this.#enter(() => this.#received(chunk));
  }
  #enter(work: () => void): void {
    const { enter } = this.#options;
    if (enter === undefined) work();
    else enter(work);
  }
  #received(chunk: Chunk): void {
    this.#flushing = true;
    this.#streak = 0;
    try {
      this.core.receive(chunk, clock());
    } finally {
      this.#flush();
    }
  }
  onDrain(): void {
    this.#writable = true;
    this.#flush();
  }
  onEnd(): void {
    const after = this.#dispatcher.inputEnds?.();
    this.core.inputEnded(clock());
    after?.();
  }
  onClose(cause?: TransportError): void {
    this.core.transportLost(cause);
    if (this.#finalizing === undefined) this.#over();
    else void this.#finalizing.then(this.#over);
  }

  // What the core tells.

  wake(now: boolean = false): void {
    if (now) return this.#write();
    if (this.#flushing) return;
    this.#flushing = true;
    if (this.#streak++ < STREAK) void SOON.then(this.#flush);
    else {
      this.#streak = 0;
      macrotask(this.#flush);
    }
  }

  turn(): void {
    macrotask(this.#turn);
  }

  // Several may ask, each for itself: reading goes on once none does.
  pause(paused: boolean): void {
    this.#pauses += paused ? 1 : -1;
    if (paused && this.#pauses === 1) this.#transport.pause();
    else if (this.#pauses === 0) this.#transport.resume();
  }

  schedule(): void {
    const next = this.core.nextDeadline;
    if (next === undefined || next >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = next;
    const longest = 2 ** 31 - 1; // a timer that is set to more fires at once (HTML, "Timers")
    this.#timer = setTimeout(this.#tick, Math.min(Math.max(0, next - clock()), longest));
  }

  call(call: IncomingCall): void {
    this.#dispatcher.call(call);
  }
  notification(notification: IncomingNotification): void {
    this.#dispatcher.notification(notification);
  }
  lift(value: object): HostStream | undefined {
    return lift(value, this.#options.lifter);
  }
  received(half: Half, call: IncomingCall | OutgoingCall): unknown {
    if ("message" in call) return this.#dispatcher.receive(half, call);
    const waiter = call.waiter as DoorWaiter;
    return waiter.receive === undefined ? this.#options.receive(half) : waiter.receive(half);
  }
  open(peer: Hello | undefined): void {
    this.#resolveOpened(peer);
  }
  draining(_call: number, reason: string): void {
    this.#options.onDraining?.(reason);
  }
  fault(fault: Fault): void {
    this.#options.onFault?.(fault);
  }

  // L6: finalizers first, while nothing more can be called; the transport is released last. One deadline for both.
  ended(reason: SessionError): void {
    clearTimeout(this.#timer);
    const late = new Promise<void>((resolve) => {
      this.#timer = setTimeout(() => {
        resolve();
        this.#transport.abort();
      }, this.core.limits.close);
    });
    const finalizing = this.lifetime.close();
    this.#rejectOpened(reason);
    const last = this.core.flush();
    if (last.length > 0) this.#transport.write(last);
    this.#handOver();
    if (finalizing === undefined) this.#release(reason);
    else this.#finalizing = Promise.race([finalizing, late]).then(() => this.#release(reason));
  }

  #release(error: SessionError): void {
    if (error.by === "transport") this.#transport.abort();
    else this.#transport.close(error.message, CAUSE[error.code]);
  }

  readonly #over = (): void => {
    clearTimeout(this.#timer);
    this.#resolveClosed(this.core.error!);
  };

  readonly #flush = (): void => {
    this.#flushing = false;
    this.#write();
    // L1, L2: a session that only had this left to say is over now that it has been handed to the transport.
    this.core.settled();
    if (this.#drained.length > 0 && this.core.outbox.bytes === 0) this.#handOver();
  };

  #write(): void {
    while (this.#writable && this.core.error === undefined && !this.core.outbox.isEmpty) {
      const chunks = this.core.flush();
      if (chunks.length === 0) break;
      this.#writable = this.#transport.write(chunks);
    }
  }

  readonly #turn = (): void => this.#enter(this.#turned);
  readonly #turned = (): void => this.core.turn();

  readonly #tick = (): void => {
    this.#timerAt = Number.POSITIVE_INFINITY;
    this.core.tick(clock());
    if (this.core.error === undefined) this.schedule();
  };

  #handOver(): void {
    const waiting = this.#drained;
    this.#drained = [];
    for (const resolve of waiting) resolve();
  }
}

// A program that awaits one message after the other would make a write for each: after so many they are gathered until the next
// macrotask, or until there is a burst of them.
const STREAK = 2;

// A microtask. On Node this costs half of what queueMicrotask does.
const SOON: Promise<void> = Promise.resolve();

function clock(): number {
  return performance.now();
}
