// The session machine: bytes in, bytes out, and between them calls, answers and streams. Pure: it never waits, has no
// clock and no I/O; the driver (`@sluice/session`, or a test) feeds it and flushes it. Both ends run this same code.
//
// A chunk is processed whole by `receive`; whatever it or the application makes the machine say is gathered and comes
// out of `flush` as one write.
import { jsonrpc, Lines, type DecodeError, type Dialect, type Framing } from "@sluice/codec";
import { move, type Role } from "@sluice/streams";
import { Calls } from "./calls.ts";
import { Deadlines } from "./deadlines.ts";
import { lost, SessionError, unreadable } from "./error.ts";
import { Faults, type Fault } from "./faults.ts";
import { Greeter } from "./greeter.ts";
import type { Hello } from "./greeting.ts";
import { Holds } from "./holds.ts";
import type { Host, Observer } from "./host.ts";
import { Input } from "./input.ts";
import { withDefaults, type Limits } from "./limits.ts";
import type { CallOptions, CoreOptions } from "./options.ts";
import type { OutgoingCall, Waiter } from "./outgoing.ts";
import { Outbox } from "./outbox.ts";
import { PHASE, type Phase, type PhaseEvent } from "./phase.ts";
import { Pulse } from "./pulse.ts";
import { Router } from "./router.ts";
import { sumUp, type Stats } from "./stats.ts";
import { Streams } from "./streams.ts";

export class Core {
  readonly role: Role;
  readonly dialect: Dialect;
  readonly limits: Limits;
  readonly observer: Observer | undefined;
  readonly deadlines: Deadlines = new Deadlines();
  readonly streams: Streams;
  readonly outbox: Outbox;
  readonly calls: Calls;
  readonly greeter: Greeter;
  readonly holds: Holds = new Holds(() => this.settled());
  readonly host: Host;
  /** The peer's hello; undefined before the greeting, and where the peer is a plain JSON-RPC peer. */
  peer: Hello | undefined;
  /** The time of the input that is being processed. */
  now = 0;
  readonly #faults: Faults;
  readonly #input: Input;
  readonly #router: Router;
  readonly #pulse: Pulse;
  readonly #quotes: boolean;
  #phase: Phase = "greeting";
  #end: SessionError | undefined;
  #goodbye: string | undefined;
  #printed: string | undefined;
  #tooMany: SessionError | undefined;
  #finishing: SessionError | undefined;

  constructor(options: CoreOptions, host: Host) {
    this.host = host;
    this.role = options.role;
    this.dialect = options.dialect ?? jsonrpc;
    this.limits = withDefaults(options.limits);
    this.observer = options.observer;
    this.#pulse = new Pulse(this, options.keepAlive);
    this.#quotes = options.quotes ?? false;
    this.#faults = new Faults(this.limits);
    // The session ends once what arrived has been dealt with (see `receive`).
    const forced = (): void => void (this.#tooMany ??= this.#faults.reset(this.now));
    const fault = (fault: Fault): void => this.fault(fault);
    const { role, limits, observer } = this;
    const of = { role, limits, observer, faults: this.#faults, wake: () => host.wake(), forced, fault };
    this.streams = new Streams({ ...of, settled: () => this.settled() });
    const framing = (): Framing | undefined =>
      options.unit === "messages" ? undefined : (options.framing?.(this.limits) ?? new Lines(this.limits));
    this.#input = new Input(framing(), this.limits);
    this.outbox = new Outbox({
      framing: framing(),
      scheduler: this.streams.scheduler,
      ended: (half) => this.streams.ended(half),
      observer,
      allocate: options.allocate,
    });
    this.streams.connect(this.outbox);
    this.calls = new Calls(this, options.laneOf);
    this.#router = new Router(this, options.passesCancels ?? false);
    this.greeter = new Greeter(this, { ...options, encodings: options.encodings ?? ["frames", "json"] });
    if (options.framesFromStart === true) this.switchToFrames();
  }

  get phase(): Phase {
    return this.#phase;
  }
  /** Why the session is over; undefined while it is not. */
  get error(): SessionError | undefined {
    return this.#end;
  }
  /** Whether the peer greeted: only then there are streams. */
  get greeted(): boolean {
    return this.peer !== undefined;
  }

  // The driver's verbs.

  start(now: number): void {
    this.now = now;
    this.#pulse.heard(now);
    this.greeter.start(now);
  }

  /** Bytes, or on a message transport one message. */
  receive(chunk: Uint8Array | string, now: number): void {
    if (this.#phase === "ended" || this.#phase === "finishing") return;
    this.now = now;
    this.#pulse.heard(now);
    this.#input.push(chunk);
    for (let unit = this.#input.next(); unit !== undefined; unit = this.#input.next()) {
      this.#router.route(unit);
      if (this.outbox.isBurst) this.host.wake(true);
      if (this.#tooMany !== undefined) this.end(this.#tooMany);
      if (this.error !== undefined) return;
    }
    if (this.#input.spans) this.breach("F5", "a frame spans two messages");
  }

  /** L2: the peer sends no more. */
  inputEnded(now: number): void {
    if (this.#phase === "ended" || this.#phase === "finishing") return;
    this.now = now;
    if (this.#phase === "greeting") this.greeter.cut();
    if (this.error !== undefined) return;
    const cause = this.#input.partial
      ? new SessionError("lost", "transport", "the peer's last message was cut off", { rule: "L2" })
      : new SessionError("closed", "peer", this.#goodbye ?? "the peer closed the session");
    // A peer that has said goodbye waits for nothing any more.
    if (this.#goodbye !== undefined) return this.end(cause);
    this.#move("input ended");
    this.#finishing = cause;
    this.deadlines.add(now + this.limits.grace, () => this.end(cause));
    this.host.schedule();
    this.calls.inputEnded(cause);
    this.streams.inputEnded(cause);
    this.settled();
  }

  /** The transport is gone; nothing can be sent any more. */
  transportLost(cause: Error | undefined): void {
    if (this.#phase === "greeting" && cause === undefined) this.greeter.cut();
    this.end(this.#finishing ?? lost(cause, this.#goodbye, this.printed));
    this.outbox.clear();
  }

  /** What is to be written now, in one go; empty where there is nothing. There may be more: ask again. */
  flush(): (Uint8Array | string)[] {
    const chunks = this.outbox.flush(this.calls.active > 0);
    // L1, L2: the last answer is written before the transport is closed behind it.
    if (chunks.length === 0) this.settled();
    return chunks;
  }

  /** A macrotask has passed since `host.turn`. */
  turn(): void {
    this.calls.turn();
    this.settled();
  }

  get nextDeadline(): number | undefined {
    return this.deadlines.next;
  }

  tick(now: number): void {
    this.now = now;
    this.deadlines.run(now);
  }

  // The application's verbs.

  /** Calls the peer. The waiter hears once: at once where the call is refused here, in which case nothing was sent. */
  call(method: string, params: unknown, waiter: Waiter, options?: CallOptions): OutgoingCall | undefined {
    return this.calls.call(method, params, waiter, options);
  }

  /** Gives a call up: its waiter hears `error` now, the peer is told once. Does nothing once it is answered. */
  cancel(call: OutgoingCall, error: Error): void {
    this.calls.giveUp(call, error);
  }

  /** @throws RefusedError or SessionError where it cannot be sent. */
  notify(method: string, params: unknown, extras?: Readonly<Record<string, unknown>>): void {
    this.calls.notify(method, params, extras);
  }

  /** C6: what runs may finish; nothing new of the peer's runs. Ends once calls and streams are gone, or in time. */
  drain(reason: string, now: number): void {
    if (this.#phase === "greeting") return this.close(reason); // nothing runs yet
    if (this.#phase !== "open") return;
    this.#move("drain");
    if (this.greeted) this.#tellDrain(reason);
    const message = "calls or streams were still open at the drain deadline (C6)";
    const late = new SessionError("timeout", "us", message, { rule: "C6" });
    this.deadlines.add(now + this.limits.drain, () => this.end(late));
    this.host.schedule();
    this.host.wake();
    this.settled();
  }

  /** L1: ends now, in order: what is queued is still sent, the peer is told why. */
  close(reason: string = "closed"): void {
    this.end(new SessionError("closed", "us", reason));
  }

  stats(): Stats {
    return sumUp(this, this.#faults.count);
  }

  // What the parts of the machine tell each other.

  switchToFrames(): void {
    this.outbox.switchToFrames();
    this.#input.switchToFrames();
  }

  /** The greeting is over. */
  opened(peer: Hello | undefined): void {
    this.peer = peer;
    this.#printed = undefined;
    this.streams.greeted(peer);
    if (peer !== undefined) this.outbox.limitMessages(peer.limits.message);
    this.#move("greeted");
    if (this.greeted) this.#pulse.start(this.now);
    this.host.open(peer);
  }

  /** The peer's drain (C6); the reason may also be its goodbye. */
  peerDrains(call: number, reason: string): void {
    if (this.#goodbye !== undefined) return;
    this.#goodbye = `the peer closed the session: ${reason}`;
    this.calls.peerDrains(call);
    this.host.draining(call, reason);
  }

  get speaksFrames(): boolean {
    return this.#input.speaksFrames;
  }

  /** Something wrong that the session survives, as long as it stays rare. */
  fault(fault: Fault): void {
    const error = this.#faults.fault(fault, this.now);
    const { rule, message } = fault;
    if (this.#quotes && this.#phase === "greeting" && fault.excerpt !== undefined)
      this.#printed ??= fault.excerpt;
    this.host.fault(this.#quotes ? fault : { rule, message });
    if (error !== undefined) this.end(error);
  }

  /** What came in place of a greeting, for errors: most often the print of a program that is not what we took it for. */
  get printed(): string {
    return this.#printed === undefined ? "" : `; it begins "${this.#printed}"`;
  }

  /** Input after which nothing can be told apart any more (L3). */
  unreadable(error: DecodeError): void {
    this.end(unreadable(error, this.#quotes));
  }

  /** A rule that closes the session was broken by the peer (L3). */
  breach(rule: string, message: string, cause?: unknown): void {
    this.end(new SessionError("protocol", "peer", `${message} (${rule})`, { rule, cause }));
  }

  /** A call or stream is over: a session that only waits for the last of them may end. */
  settled(): void {
    if (this.#phase !== "draining" && this.#phase !== "finishing") return;
    const { calls, streams, outbox, holds } = this;
    const open = holds.count + calls.active + calls.waiting + streams.open;
    if (open > 0 || !outbox.isEmpty) return;
    this.end(this.#finishing ?? new SessionError("drained", "us", "drained"));
  }

  /** Ends the session: everything open fails with `error`, first in our own state, then for those who wait. */
  end(error: SessionError): void {
    if (this.#phase === "ended") return;
    // Not to one that is gone, or has been told or has said goodbye itself.
    const heard = error.by === "transport" || (error.by === "peer" && error.code === "closed");
    const tell = this.greeted && !heard && this.#phase !== "draining" && this.#phase !== "finishing";
    this.#move("end");
    this.#end = error;
    this.deadlines.clear();
    if (tell) this.#tellDrain(error.message);
    const tellCalls = this.calls.lose(error);
    const tellStreams = this.streams.lose(error);
    tellCalls();
    tellStreams();
    this.host.ended(error);
  }

  #tellDrain(reason: string): void {
    this.outbox.control({ type: "drain", call: this.calls.highestPeers, reason: reason.slice(0, 500) });
  }

  #move(event: PhaseEvent): void {
    this.#phase = move(PHASE, this.#phase, event);
  }
}
