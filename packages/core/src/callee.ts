// The peer's calls: taken or turned away, cancelled, answered once.
import {
  encodeError,
  encodeResult,
  ErrorCode,
  type Id,
  type NotificationMessage,
  type RequestMessage,
} from "@sluice/codec";
import { StreamCode, type Half } from "@sluice/streams";
import type { BatchAnswer } from "./batch.ts";
import type { Core } from "./core.ts";
import { errorText, toRpcError } from "./answer-error.ts";
import { discard } from "./discard.ts";
import { asRefused, CancelledError, RpcError, SessionError } from "./error.ts";
import { IncomingNotification } from "./incoming-notification.ts";
import { IncomingCall, IncomingCalls, type Answerer, type Incoming, type LaneOf } from "./incoming.ts";
import { mayMention } from "./mention-in.ts";
import { written } from "./mention-out.ts";
import { refusal, register, type FilledSlot } from "./mentions.ts";
import type { Mentions, Values } from "./values.ts";

const NO_SLOTS: readonly FilledSlot[] = [];

export class Callee implements Answerer {
  readonly #core: Core;
  readonly #values: Values;
  readonly #calls: IncomingCalls;
  #highest = 0;

  constructor(core: Core, values: Values, laneOf: LaneOf | undefined) {
    this.#core = core;
    this.#values = values;
    this.#calls = new IncomingCalls(core.limits, laneOf, (incoming) => this.#run(incoming));
  }

  get running(): number {
    return this.#calls.running;
  }
  get waiting(): number {
    return this.#calls.waiting;
  }
  /** C6: the highest id the peer has used. */
  get highest(): number {
    return this.#highest;
  }

  /** The peer's calls that have not been answered, the latest first. */
  unanswered(): IncomingCall[] {
    return this.#calls.all();
  }

  /** C1: an id the peer has used for its hello. */
  sawId(id: Id): void {
    this.#isNext(id);
  }

  /** Whether an answer with this id disturbs no call; from a greeted peer the id is used up by it (C4). */
  isFree(id: Id): boolean {
    return this.#core.greeted ? this.#isNext(id) : this.#calls.find(id) === undefined;
  }

  /** A request: a call to run in its turn, or undefined where it was answered at once. */
  request(message: RequestMessage, text: string, batch: BatchAnswer | undefined): IncomingCall | undefined {
    const core = this.#core;
    if (core.greeted && !this.#isNext(message.id)) {
      core.breach("C4", "a call id that is not above the last");
      return undefined;
    }
    const slots = this.#register(message, text);
    if (slots === undefined) return undefined;
    const call = new IncomingCall(message, text.length, slots, batch, this);
    if (!core.greeted && this.#calls.find(message.id) !== undefined) {
      // C4: the first must not be disturbed, so the answer does not carry its id.
      this.send(undefined, encodeError(core.dialect, null, duplicate(message.id)), batch);
      return undefined;
    }
    const refused = this.#refused(call, slots);
    if (refused !== undefined) {
      call.fail(refused);
      return undefined;
    }
    this.#calls.know(call);
    core.observer?.call?.("in", "start", message.id, message.method);
    this.#startDeadline(call);
    return call;
  }

  /** A notification, to be run in its turn. */
  notification(
    message: NotificationMessage,
    size: number,
    batch: BatchAnswer | undefined,
  ): IncomingNotification {
    return new IncomingNotification(message, size, batch, this.#settled);
  }

  /** Its turn has come: it runs, waits for others, or there is no room left for it. */
  start(incoming: Incoming): void {
    if (incoming.kind === "call" && incoming.isOver) return this.#calls.done(incoming);
    if (this.#calls.add(incoming)) return;
    const message = "too many calls wait here already";
    if (incoming.kind === "call") incoming.fail(new RpcError(ErrorCode.overloaded, message));
    else {
      incoming.batch?.without();
      this.#core.fault({ rule: "limits.waiting", message: `a notification was dropped: ${message}` });
    }
  }

  /** C3: the peer gave its call up. One that has not started is answered unrun. */
  cancel(id: Id): void {
    const call = this.#calls.find(id);
    if (call === undefined || call.cancelled !== undefined) return;
    this.#core.observer?.call?.("in", "cancel", id, call.method);
    this.#abort(call, new CancelledError("the peer cancelled the call"));
    if (call.state === "waiting") call.fail(call.cancelled!);
  }

  // Answers.

  succeed(call: IncomingCall, result: unknown): void {
    const core = this.#core;
    let text: string;
    let mentions: Mentions | undefined;
    try {
      mentions = this.#values.mention(result);
      text = encodeResult(core.dialect, call.id, written(result, mentions));
      this.#values.checkSize(text);
    } catch (cause) {
      const error = asRefused(cause);
      core.host.fault({
        rule: error.rule,
        message: `the result of ${call.method} could not be sent: ${error.message}`,
      });
      discard(core.host, result, error);
      return this.fail(call, error);
    }
    const halves = this.#values.open(mentions);
    this.#answered(call, text);
    // What is attached may put off the release of its half.
    if (halves.length === 0) this.#release(call);
    else whenOver(halves, () => this.#release(call));
    this.#values.attach(mentions, halves);
    core.settled();
  }

  late(call: IncomingCall, result: unknown): void {
    discard(
      this.#core.host,
      result,
      call.cancelled ?? new CancelledError(`${call.method} had been answered`),
    );
  }

  fail(call: IncomingCall, error: Error): void {
    const core = this.#core;
    const text = errorText(core, call.id, toRpcError(error).toObject());
    const forced = call.state === "waiting"; // turned away
    this.#answered(call, text);
    this.#drop(call, forced);
    call.released();
    core.settled();
  }

  /** The text of an answer goes out by itself, or with its batch. */
  send(call: IncomingCall | undefined, text: string, batch: BatchAnswer | undefined): void {
    const core = this.#core;
    if (batch !== undefined) batch.add(text);
    else core.outbox.message(text);
    core.host.wake();
    if (call !== undefined) core.observer?.call?.("in", "end", call.id, call.method);
    if (core.outbox.bytes <= core.limits.outbox) return;
    const message = "the peer does not read: too many answers wait to be sent (L4)";
    core.end(new SessionError("limit", "peer", message, { rule: "L4" }));
  }

  /** The session is over. Returns what tells the handlers that run. */
  lose(error: SessionError): () => void {
    const calls = this.#calls.clear();
    for (const call of calls) if (call.may("lose")) call.move("lose");
    return () => {
      for (const call of calls) {
        if (call.cancelled === undefined) {
          call.cancelled = error;
          call.onCancel?.(error);
        }
        call.released();
      }
    };
  }

  // S11: drops those nobody used. Mentioning one in the result has used it.
  #release(call: IncomingCall): void {
    for (const half of call.streams)
      if (!half.taken && half.isHeld?.() !== true)
        this.#core.streams.drop(half, StreamCode.none, "not used by the handler (S11)");
    call.released();
  }

  #answered(call: IncomingCall, text: string): void {
    call.move("answer");
    this.#core.deadlines.cancel(call.deadline);
    this.send(call, text, call.batch);
    this.#calls.done(call);
  }

  #run(incoming: Incoming): void {
    const { host } = this.#core;
    if (incoming.kind === "notification") return host.notification(incoming);
    incoming.move("start");
    for (const { holder, key, half } of incoming.slots)
      holder[key] = half === undefined ? null : host.received(half, incoming);
    host.call(incoming);
  }

  readonly #settled = (notification: IncomingNotification): void => {
    notification.batch?.without();
    this.#calls.done(notification);
    this.#core.settled();
  };

  #abort(call: IncomingCall, reason: Error): void {
    if (call.cancelled !== undefined) return; // the handler has been told
    call.cancelled = reason;
    if (call.may("cancel")) call.move("cancel");
    this.#drop(call, true); // S10
    call.onCancel?.(reason);
  }

  /** @param forced by the peer, as C7 counts it */
  #drop(call: IncomingCall, forced: boolean): void {
    const code = call.cancelled === undefined ? StreamCode.refused : StreamCode.cancelled;
    for (const half of call.streams) this.#core.streams.drop(half, code, "its call is over (S10)", forced);
  }

  // C5: what is earlier, the caller's deadline or our own limit for handlers.
  #startDeadline(call: IncomingCall): void {
    const core = this.#core;
    const remaining = core.greeted ? call.message.raw["deadline"] : undefined;
    const theirs =
      Number.isSafeInteger(remaining) && (remaining as number) >= 0 ? (remaining as number) : undefined;
    const ms = Math.min(theirs ?? Number.POSITIVE_INFINITY, core.limits.handler);
    if (ms === Number.POSITIVE_INFINITY) return;
    call.deadline = core.deadlines.add(core.now + ms, () => {
      const error = new RpcError(ErrorCode.cancelled, "not answered in time", { reason: "deadline" });
      this.#abort(call, error);
      call.fail(error);
    });
    core.host.schedule();
  }

  #refused(call: IncomingCall, slots: readonly FilledSlot[]): RpcError | undefined {
    const core = this.#core;
    if (core.phase === "draining")
      return new RpcError(ErrorCode.draining, "draining: try another session (C6)");
    if (core.greeted && call.message.raw["deadline"] === 0)
      return new RpcError(ErrorCode.cancelled, "its deadline had passed (C5)", { reason: "deadline" });
    return refusal(core.streams, slots, core.limits);
  }

  #isNext(id: Id): boolean {
    if (typeof id !== "number" || !Number.isInteger(id) || id <= this.#highest) return false;
    this.#highest = id;
    return true;
  }

  #register(message: RequestMessage, text: string): readonly FilledSlot[] | undefined {
    const core = this.#core;
    if (!core.greeted || !mayMention(text)) return NO_SLOTS;
    const slots = register(core.streams, message as unknown as Record<string, unknown>, "params");
    if (!(slots instanceof SessionError)) return slots;
    core.end(slots);
    return undefined;
  }
}

/** Calls `then` once all of them are over: now, where there are none. */
function whenOver(halves: readonly Half[], then: () => void): void {
  let open = 1;
  const over = (): void => {
    if (--open === 0) then();
  };
  for (const half of halves) {
    if (half.isOver) continue;
    open++;
    half.onReleased = over;
  }
  over();
}

function duplicate(id: Id): { code: number; message: string; data: unknown } {
  return { code: ErrorCode.invalidRequest, message: "a call with this id is running (C4)", data: { id } };
}
