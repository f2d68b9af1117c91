// The session machine: bytes in, bytes out, and between them calls, answers and tunnels. Pure: it never waits, has no
// timer and no I/O; the driver feeds it and flushes it. Both ends run this same code; who is the initiator says only
// whose channels are odd.
import { Deadlines, SessionError, TimeoutError, type Fault } from "@sluice/core";
import { Calls, refused, type CallsHost, type PendingCall, type Waiter } from "./calls.ts";
import { Channels } from "./channels.ts";
import { cancelPayload, closePayload, grantPayload, VERB, type CancelReason } from "./control.ts";
import { ErrorCode, RapaceError } from "./error.ts";
import { Faults } from "./faults.ts";
import { FLAG } from "./frame.ts";
import { FrameError, FrameReader } from "./frame-reader.ts";
import { withDefaults, type Limits } from "./limits.ts";
import type { MachineOptions } from "./options.ts";
import { Outbox } from "./outbox.ts";
import type { Reader, ReadPolicy } from "./reader.ts";
import type { Requests } from "./requests.ts";
import type { CallParameters, Host } from "./host.ts";
import { Router } from "./router.ts";
import { Tunnels } from "./tunnels.ts";
import type { Writer } from "./writer.ts";

export class Machine implements CallsHost {
  readonly limits: Limits;
  readonly outbox: Outbox;
  readonly tunnels: Tunnels;
  readonly calls: Calls;
  readonly channels: Channels;
  readonly deadlines: Deadlines = new Deadlines();
  readonly options: MachineOptions;
  readonly host: Host;
  readonly #router: Router;
  readonly #input: FrameReader;
  readonly #faults: Faults;
  #now = 0;
  #goodbye: string | undefined;
  #end: SessionError | undefined;

  constructor(options: MachineOptions, host: Host) {
    this.options = options;
    this.host = host;
    this.limits = withDefaults(options.limits);
    this.outbox = new Outbox(options.unit, () => host.wake(this.outbox.isBurst), options.allocate);
    this.tunnels = new Tunnels(this.limits, this.outbox, (paused) => host.pause(paused));
    this.calls = new Calls(this);
    const inUse = (id: number): boolean => this.calls.has(id) || this.tunnels.has(id);
    this.channels = new Channels(options.role, options.firstChannel, this.limits.remembered, inUse);
    this.#router = new Router(this);
    this.#input = new FrameReader(options.unit, this.limits.frame);
    this.#faults = new Faults(this.limits.faults);
  }

  /** Why the session is over; undefined while it is not. */
  get error(): SessionError | undefined {
    return this.#end;
  }
  get faults(): number {
    return this.#faults.count;
  }
  get late(): number {
    return this.#router.late;
  }
  get requests(): Requests {
    return this.#router.requests;
  }

  // The driver's verbs.

  start(): void {
    // R10: a grant for the session itself. Published peers ignore it.
    if (this.options.credits === true)
      this.outbox.control(VERB.grantCredits, grantPayload(0, this.limits.window), this.limits.window);
  }

  /** Bytes, or on a message transport one message. */
  receive(chunk: Uint8Array | string, now: number): void {
    if (this.#end !== undefined) return;
    this.#now = now;
    this.#input.push(chunk);
    for (let frame = this.#input.next(); frame !== undefined; frame = this.#input.next()) {
      if (frame instanceof FrameError) return this.#unreadable(frame);
      this.#router.route(frame);
      if (this.outbox.bytes > this.limits.outbox) this.#flooded();
      if (this.error !== undefined) return;
    }
  }

  /** The peer sends no more; and it waits for nothing, for nobody closes one direction only. */
  inputEnded(): void {
    if (this.#input.partial)
      this.end(
        new SessionError("lost", "transport", "the peer's last frame was cut off (R4)", { rule: "R4" }),
      );
    else this.end(new SessionError("closed", "peer", this.#goodbye ?? "the peer closed the session"));
  }

  /** The transport is gone; nothing can be sent any more. */
  transportLost(cause: Error | undefined): void {
    if (this.#input.partial && cause === undefined) this.inputEnded();
    else if (this.#goodbye !== undefined)
      this.end(new SessionError("closed", "peer", this.#goodbye, { cause }));
    else {
      const message = cause === undefined ? "the transport closed" : `the transport failed: ${cause.message}`;
      this.end(new SessionError("lost", "transport", message, { cause }));
    }
    this.outbox.clear();
  }

  /** What is to be written now, in one go; empty where there is nothing. There may be more: ask again. */
  flush(): Uint8Array[] {
    return this.outbox.flush(this.calls.size > 0 || this.requests.running > 0);
  }

  tick(now: number): void {
    this.#now = now;
    this.deadlines.run(now);
  }

  // The application's verbs.

  /** Calls the peer. The waiter hears once: at once where the call is refused here, in which case nothing was sent. */
  call(
    method: number,
    payload: Uint8Array,
    waiter: Waiter,
    parameters: CallParameters,
  ): PendingCall | undefined {
    const { now, timeout = this.limits.call, body = false } = parameters;
    const refusal = this.#refusal(method, payload, body ? 1 : 0) ?? this.#tooMany();
    if (refusal !== undefined) {
      waiter.error(refusal);
      return undefined;
    }
    const channel = this.#allocate();
    const call = this.calls.add(channel, waiter);
    if (timeout !== Number.POSITIVE_INFINITY) {
      const late = (): void => this.calls.giveUp(call, new TimeoutError(`method ${method}`, timeout));
      call.deadline = this.deadlines.add(now + timeout, late);
      this.host.schedule();
    }
    const clock = timeout === Number.POSITIVE_INFINITY ? undefined : this.options.clock;
    const deadline = clock === undefined ? undefined : clock() + BigInt(Math.ceil(timeout * 1e6));
    const flags = body ? FLAG.data : FLAG.data | FLAG.eos;
    this.outbox.numbered({ channel, method, flags, deadline }, payload);
    return call;
  }

  /** A call that is answered by a stream. @throws RefusedError or SessionError; then nothing was sent */
  stream(method: number, payload: Uint8Array, policy: ReadPolicy, body: boolean): Reader {
    this.#check(method, payload, body ? 2 : 1);
    const channel = this.#allocate();
    const reader = this.tunnels.read(channel, "answer", policy);
    const flags = FLAG.data | FLAG.noReply | (body ? 0 : FLAG.eos);
    this.outbox.numbered({ channel, method, flags }, payload);
    return reader;
  }

  /** What is sent behind the request of a call or stream of ours. @throws RefusedError */
  body(channel: number): Writer {
    return this.tunnels.write(channel, "items", FLAG.data | FLAG.eos);
  }

  /** Never answered. @throws RefusedError or SessionError */
  notify(method: number, payload: Uint8Array): void {
    this.#check(method, payload, 0);
    this.outbox.numbered({ channel: 0, method, flags: FLAG.data | FLAG.eos | FLAG.noReply }, payload);
  }

  /** A channel of ours, to be registered by its user: what comes for it before that waits. @throws as `stream` */
  nextChannel(): number {
    if (this.#end !== undefined) throw this.#end;
    const channel = this.#allocate();
    this.channels.reserve(channel);
    return channel;
  }

  /** Both directions of a channel. @throws RefusedError; one that is registered already is undisturbed */
  register(channel: number, policy: ReadPolicy): { readonly reader: Reader; readonly writer: Writer } {
    if (this.#end !== undefined) throw this.#end;
    if (!Number.isInteger(channel) || channel < 1 || channel > 0xffff_ffff)
      throw refused("R5", "a channel is a number from 1 to 4294967295");
    if (this.tunnels.has(channel))
      throw refused("R11", `channel ${channel} has a tunnel already: use that one`);
    if (this.calls.has(channel) || this.requests.find(channel) !== undefined)
      throw refused("R11", `channel ${channel} has a call: register a channel that nextChannelId gives`);
    if (this.tunnels.isGone(channel)) throw refused("R11", `channel ${channel} is over: open another`);
    const refusal = this.tunnels.refusal(2);
    if (refusal !== undefined) throw refusal;
    this.channels.registered(channel);
    const writer = this.tunnels.write(channel, "bytes", FLAG.data | FLAG.eos);
    return { writer, reader: this.tunnels.read(channel, "tunnel", policy) };
  }

  /** Ends now: the peer's calls are answered SessionClosed, its streams cut, and it is told why. */
  close(reason: string): void {
    if (this.#end !== undefined) return;
    const told = new RapaceError(ErrorCode.sessionClosed, reason);
    for (const { channel } of this.requests.unanswered()) this.outbox.error(channel, told);
    this.tunnels.tellLost(told);
    this.outbox.control(VERB.closeChannel, closePayload(0, reason));
    this.end(new SessionError("closed", "us", reason));
  }

  // What the parts of the machine tell each other.

  over(call: PendingCall): void {
    this.deadlines.cancel(call.deadline);
    const body = this.tunnels.writer(call.channel);
    if (body === undefined || this.#end !== undefined) return;
    const told = new RapaceError(ErrorCode.cancelled, "the call is over");
    body.reset(told, told);
  }

  cancel(channel: number, why: CancelReason): void {
    this.outbox.control(VERB.cancelChannel, cancelPayload(channel, why));
  }

  peerCloses(reason: string | undefined): void {
    this.#goodbye ??= `the peer closed the session${reason === undefined ? "" : `: ${reason}`}`;
  }

  /** Something wrong that the session survives, as long as it stays rare. */
  fault(rule: string, message: string): void {
    const fault: Fault = { rule, message };
    this.host.fault(fault);
    const error = this.#faults.fault(fault, this.#now);
    if (error !== undefined) this.end(error);
  }

  /** Ends the session: everything open fails with `error`, first in our own state, then for those who wait. */
  end(error: SessionError): void {
    if (this.#end !== undefined) return;
    this.#end = error;
    this.deadlines.clear();
    const tellCalls = this.calls.lose(error);
    const tellRequests = this.requests.lose(error);
    tellCalls();
    tellRequests();
    this.tunnels.lose(error);
    this.host.ended(error);
  }

  #unreadable(error: FrameError): void {
    this.end(new SessionError(error.code, "peer", error.message, { rule: error.rule, cause: error }));
  }

  #flooded(): void {
    const message = `more than ${this.limits.outbox} bytes wait to be read by the peer`;
    this.end(new SessionError("limit", "peer", message, { rule: "limits.outbox" }));
  }

  #check(method: number, payload: Uint8Array, halves: number): void {
    const refusal = this.#refusal(method, payload, halves);
    if (refusal !== undefined) throw refusal;
  }

  #tooMany(): Error | undefined {
    const { pending } = this.limits;
    return this.calls.size < pending
      ? undefined
      : refused("limits.pending", `${pending} calls wait for their answers`);
  }

  /** @param halves of tunnels that it needs */
  #refusal(method: number, payload: Uint8Array, halves: number): Error | undefined {
    if (this.#end !== undefined) return this.#end;
    if (!Number.isInteger(method) || method < 1 || method > 0xffff_ffff)
      return refused("R6", "a method is a number from 1 to 4294967295, or a name");
    if (payload.length > this.limits.frame)
      return refused(
        "limits.frame",
        `a payload of ${payload.length} bytes, the limit is ${this.limits.frame}`,
      );
    if (this.outbox.bytes > this.limits.outbox / 2)
      return refused("limits.outbox", `${this.outbox.bytes} bytes wait to be sent: the peer does not read`);
    return halves === 0 ? undefined : this.tunnels.refusal(halves);
  }

  #allocate(): number {
    const channel = this.channels.allocate();
    if (channel === undefined) throw refused("R5", "every channel is in use");
    this.tunnels.reuse(channel);
    return channel;
  }
}
