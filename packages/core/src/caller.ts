// Our side of calls: sent, given up, answered.
import {
  cancelParams,
  encodeNotification,
  encodeRequest,
  ErrorCode,
  type AnswerMessage,
  type InvalidMessage,
} from "@sluice/codec";
import { StreamCode, type Half } from "@sluice/streams";
import type { Answer } from "./arrivals.ts";
import type { Core } from "./core.ts";
import type { CallOptions } from "./options.ts";
import { asRefused, RefusedError, RpcError, SessionError, TimeoutError } from "./error.ts";
import { mayMention } from "./mention-in.ts";
import { written } from "./mention-out.ts";
import { dropAll, refusal, register, tooMany, type FilledSlot } from "./mentions.ts";
import { OutgoingCall, OutgoingCalls, type Waiter } from "./outgoing.ts";
import type { Mentions, Values } from "./values.ts";

const NO_SLOTS: readonly FilledSlot[] = [];
const NO_STREAMS: readonly Half[] = [];

const NOBODY: Waiter = { result: () => {}, error: () => {} };
const NO_OPTIONS: CallOptions = {};

export class Caller {
  readonly #core: Core;
  readonly #values: Values;
  readonly #calls: OutgoingCalls = new OutgoingCalls();
  // C6: the highest call of ours that the draining peer accepts.
  #accepted = Number.POSITIVE_INFINITY;

  constructor(core: Core, values: Values) {
    this.#core = core;
    this.#values = values;
  }

  get pending(): number {
    return this.#calls.size;
  }

  /** Our calls without an answer, the oldest first. */
  waiting(): readonly OutgoingCall[] {
    return this.#calls.waiting();
  }

  call(
    method: string,
    params: unknown,
    waiter: Waiter,
    options: CallOptions = NO_OPTIONS,
  ): OutgoingCall | undefined {
    const core = this.#core;
    const refused = this.#refusedCall() ?? this.#refused();
    if (refused !== undefined) {
      waiter.error(refused);
      return undefined;
    }
    const id = this.#calls.nextId();
    let text: string;
    let mentions: Mentions | undefined;
    try {
      mentions = this.#values.mention(params);
      text = encodeRequest(core.dialect, id, method, written(params, mentions), extrasOf(options, core));
      this.#values.checkSize(text);
    } catch (cause) {
      waiter.error(asRefused(cause));
      return undefined;
    }
    const streams = this.#values.open(mentions);
    const call = new OutgoingCall(id, method, waiter, streams);
    this.#calls.add(call);
    core.observer?.call?.("out", "start", id, method);
    core.outbox.message(text);
    core.host.wake();
    if (options.timeout !== undefined) this.#startTimeout(call, options.timeout, options.now ?? core.now);
    this.#values.attach(mentions, streams);
    return call;
  }

  notify(method: string, params: unknown, extras: Readonly<Record<string, unknown>> | undefined): void {
    const core = this.#core;
    // L2: what still runs may also say what it does, not only answer.
    const refused = this.#core.phase === "finishing" ? this.#refusedByOutbox() : this.#refused();
    if (refused !== undefined) throw refused;
    // S3: no streams, and so nothing is a mention or needs an escape.
    let text: string;
    try {
      text = encodeNotification(core.dialect, method, this.#values.withoutStreams(params), extras);
      this.#values.checkSize(text);
    } catch (cause) {
      throw asRefused(cause);
    }
    core.outbox.message(text);
    core.host.wake();
  }

  /** A call whose answer somebody else looks out for: it only takes an id. */
  reserve(method: string): OutgoingCall {
    return new OutgoingCall(this.#calls.nextId(), method, NOBODY, NO_STREAMS);
  }

  /** Its answer may come and is nobody's. */
  expect(call: OutgoingCall): void {
    call.move("give up");
    this.#calls.giveUp(call);
  }

  /** Asks the peer to abandon a call, once, and goes on waiting for its answer. */
  askToCancel(call: OutgoingCall): void {
    if (call.state !== "waiting" || call.cancel === "sent") return;
    this.#core.observer?.call?.("out", "cancel", call.id, call.method);
    this.#sendCancel(call);
  }

  /** C3: the waiter hears at once; the peer is told once. */
  giveUp(call: OutgoingCall, error: Error): void {
    if (call.state !== "waiting") return;
    const core = this.#core;
    call.move("give up");
    this.#calls.giveUp(call);
    core.deadlines.cancel(call.deadline);
    core.observer?.call?.("out", "cancel", call.id, call.method);
    this.#sendCancel(call);
    for (const half of call.streams)
      core.streams.drop(half, StreamCode.cancelled, "the call was cancelled (S10)");
    call.waiter.error(error);
    core.settled();
  }

  /** An answer from the peer: in its turn it reaches its caller. */
  answered(message: AnswerMessage, text: string): Answer | undefined {
    const core = this.#core;
    const slots = this.#register(message, text);
    if (slots === undefined) return undefined;
    const call = this.#calls.answered(message.id);
    if (call === undefined) {
      dropAll(core.streams, slots, StreamCode.refused, true);
      if (message.id !== null) core.fault({ rule: "C2", message: "an answer to no call of ours" });
      else core.fault({ rule: "JSON-RPC 5.1", message: "the peer could not read a message of ours" });
      return undefined;
    }
    if (call.state !== "waiting") {
      call.move("answer");
      dropAll(core.streams, slots, StreamCode.cancelled);
      return undefined;
    }
    const refused = refusal(core.streams, slots, core.limits);
    if (refused?.code === ErrorCode.limit) {
      dropAll(core.streams, slots, StreamCode.refused, true);
      return { kind: "answer", call, message, slots: tooMany(core.limits) };
    }
    return { kind: "answer", call, message, slots };
  }

  /** A malformed answer: its call, where it can be told, fails with it. */
  malformed(message: InvalidMessage): Answer | undefined {
    const call = this.#calls.answered(message.id);
    if (call === undefined || call.state !== "waiting") return undefined;
    return { kind: "answer", call, message: message.error, slots: NO_SLOTS };
  }

  /** The answer's turn has come. */
  settle({ call, message, slots }: Answer): void {
    const core = this.#core;
    if (call.state !== "waiting") {
      // It was given up while its answer waited for its turn.
      this.#calls.answered(call.id);
      if (call.state === "given up") call.move("answer");
      if (!(slots instanceof Error)) dropAll(core.streams, slots, StreamCode.cancelled);
      return;
    }
    call.move("answer");
    core.deadlines.cancel(call.deadline);
    core.observer?.call?.("out", "end", call.id, call.method);
    if (slots instanceof Error) this.#failed(call, slots);
    else if (message instanceof Error || message.kind === "error") this.#failed(call, message);
    else {
      for (const { holder, key, half } of slots)
        holder[key] = half === undefined ? null : core.host.received(half, call);
      call.waiter.result(message.result);
    }
    core.settled();
  }

  /** The session is over. Returns what tells those who wait. */
  lose(error: SessionError): () => void {
    const calls = this.#calls.clear();
    for (const call of calls) {
      call.move("lose");
      this.#core.deadlines.cancel(call.deadline);
    }
    return () => {
      for (const call of calls) call.waiter.error(call.id > this.#accepted ? peerDraining() : error);
    };
  }

  peerDrains(accepted: number): void {
    this.#accepted = accepted;
  }

  #sendCancel(call: OutgoingCall): void {
    const core = this.#core;
    const { cancel } = core.dialect;
    if (cancel === undefined || call.cancel === "sent") return;
    call.cancel = "sent";
    core.outbox.message(encodeNotification(core.dialect, cancel.method, cancelParams(cancel, call.id)));
    core.host.wake();
  }

  #refused(): Error | undefined {
    const core = this.#core;
    if (core.phase === "ended" || core.phase === "finishing") return core.error ?? closing();
    if (core.phase === "greeting") return new RefusedError("H1", "the greeting is not over");
    return this.#refusedByOutbox();
  }

  #refusedByOutbox(): Error | undefined {
    const { outbox, limits } = this.#core;
    if (outbox.bytes <= limits.outbox / 2) return undefined;
    return new RefusedError("limits.outbox", "the peer does not read: too much waits to be sent");
  }

  // C6 turns away calls, not notifications: those may belong to a call of the peer's that still runs.
  #refusedCall(): Error | undefined {
    const { phase, limits } = this.#core;
    if (phase !== "open" && phase !== "draining") return undefined;
    if (this.#accepted !== Number.POSITIVE_INFINITY) return peerDraining();
    if (this.#calls.size >= limits.pending)
      return new RefusedError("limits.pending", `${limits.pending} calls without an answer`);
    return undefined;
  }

  // S2a: before anything else is decided about the message.
  #register(message: AnswerMessage, text: string): readonly FilledSlot[] | undefined {
    const core = this.#core;
    if (message.kind !== "result" || !core.greeted || !mayMention(text)) return NO_SLOTS;
    const slots = register(core.streams, message as unknown as Record<string, unknown>, "result");
    if (!(slots instanceof SessionError)) return slots;
    core.end(slots);
    return undefined;
  }

  #failed(call: OutgoingCall, message: Error | (AnswerMessage & { kind: "error" })): void {
    for (const half of call.streams)
      this.#core.streams.drop(half, StreamCode.refused, "the call failed (S10)");
    if (message instanceof Error) return call.waiter.error(message);
    const { code, message: text, data } = message.error;
    const { timeout, deadline } = call;
    const late =
      code === ErrorCode.cancelled && (data as { reason?: unknown } | undefined)?.reason === "deadline";
    if (late && timeout !== undefined && deadline !== undefined && deadline.at - this.#core.now <= CLOCKS)
      return call.waiter.error(new TimeoutError(call.method, timeout));
    call.waiter.error(new RpcError(code, text, data));
  }

  #startTimeout(call: OutgoingCall, ms: number, now: number): void {
    const core = this.#core;
    call.timeout = ms;
    call.deadline = core.deadlines.add(now + ms, () => this.giveUp(call, new TimeoutError(call.method, ms)));
    core.host.schedule();
  }
}

// C5: both ends count down the same deadline, each by its own clock, and the peer may be first by this many ms. A caller
// gets the same error either way.
const CLOCKS = 3;

// C5: the peer may give up too, from when the call arrives. Only those who greeted know the member.
function extrasOf(
  { extras, timeout }: CallOptions,
  core: Core,
): Readonly<Record<string, unknown>> | undefined {
  if (timeout === undefined || !core.greeted) return extras;
  return { ...extras, deadline: Math.max(0, Math.floor(timeout)) };
}

// C6: it has not run, whatever became of the session.
function peerDraining(): RpcError {
  return new RpcError(ErrorCode.draining, "the peer drains (C6)");
}

function closing(): SessionError {
  return new SessionError("closed", "peer", "the peer closed the session");
}
