// The streams of one session: which are open, what arrives for them, and what they tell the peer.
import { utf8Length, type ResetFrame, type StreamFrame } from "@sluice/codec";
import {
  ReceiveHalf,
  Registry,
  Scheduler,
  SendHalf,
  SharedBudget,
  StreamCode,
  StreamError,
  type Half,
  type ReceiveHost,
  type Role,
  type SendHost,
} from "@sluice/streams";
import { SessionError } from "./error.ts";
import type { Fault, Faults } from "./faults.ts";
import type { Hello } from "./greeting.ts";
import type { Observer } from "./host.ts";
import type { Limits } from "./limits.ts";
import type { Outbox } from "./outbox.ts";

export interface StreamsOptions {
  readonly role: Role;
  readonly limits: Limits;
  readonly faults: Faults;
  readonly wake: () => void;
  /** A stream has gone from the wire or from its holder: a drain may be complete. */
  readonly settled: () => void;
  /** C7: the peer made us stop or reset a stream. */
  readonly forced: () => void;
  readonly fault: (fault: Fault) => void;
  readonly observer: Observer | undefined;
}

export class Streams implements SendHost, ReceiveHost {
  readonly scheduler: Scheduler = new Scheduler();
  readonly #options: StreamsOptions;
  readonly #registry: Registry;
  readonly #live: Set<Half> = new Set();
  readonly #growth: SharedBudget;
  #outbox: Outbox | undefined;
  #unread = 0;
  // H1: the first window of the streams the peer writes, and of those we write.
  #peerWindow = 0;
  // The largest item the peer takes.
  #peerItem = Number.POSITIVE_INFINITY;
  // L2: why the peer sends no more, once it does not.
  #inputEnded: SessionError | undefined;

  constructor(options: StreamsOptions) {
    this.#options = options;
    this.#registry = new Registry(options.role);
    this.#growth = new SharedBudget(options.limits.unread);
  }

  /** Streams somebody here still holds. */
  get live(): number {
    return this.#live.size;
  }
  /** Streams open on the wire. */
  get open(): number {
    return this.#registry.size;
  }
  get openByPeer(): number {
    return this.#registry.openByPeer;
  }
  get openByUs(): number {
    return this.#registry.openByUs;
  }
  /** Bytes that have arrived and not been read. */
  get unread(): number {
    return this.#unread < 0 ? 0 : this.#unread;
  }
  get highestPeers(): number {
    return this.#registry.highestPeers;
  }
  halves(): Iterable<Half> {
    return this.#registry.values();
  }

  connect(outbox: Outbox): void {
    this.#outbox = outbox;
  }
  /** What the peer's hello says of the streams we write. */
  greeted(peer: Hello | undefined): void {
    this.#peerWindow = peer?.window ?? 0;
    this.#peerItem = peer?.limits.item ?? Number.POSITIVE_INFINITY;
  }

  allocate(): number | undefined {
    return this.#registry.allocate();
  }
  mayMention(id: number, above: number): boolean {
    return this.#registry.mayMention(id, above);
  }

  /** Opens our half of a mentioned stream. */
  add(id: number, of: "bytes" | "items", weWrite: boolean): Half {
    const { limits, observer } = this.#options;
    const half = weWrite
      ? new SendHalf(id, of, this.#peerWindow, limits.highWater, this, this.#peerItem)
      : new ReceiveHalf(
          id,
          of,
          {
            window: limits.window,
            growth: { max: limits.windowMax, budget: this.#growth },
            item: limits.item,
            depth: limits.depth,
          },
          this,
        );
    this.#registry.add(half);
    this.#live.add(half);
    observer?.stream?.("open", half);
    if (this.#inputEnded !== undefined) this.#cutOff(half, this.#inputEnded);
    return half;
  }

  /** S2a, S10, S11: it goes without its holder's doing. Who still reads it must not take that for its end. */
  drop(half: Half, code: number, message: string, forced: boolean = false): void {
    if (forced && !half.isOver) this.#options.forced();
    if (half.kind === "send") half.reset(code, message);
    else half.stop(code, message, new StreamError(code, "us", message));
  }

  /** A stream frame from the peer. Returns the breach that closes the session, where it is one. */
  receive(frame: StreamFrame, now: number): SessionError | undefined {
    const half = this.#registry.find(frame.id);
    if (half === "never") return breach("S13", `${frame.type} for a stream that was never mentioned`);
    if (half === "gone") return this.#late(frame);
    const fromWriter = frame.type === "data" || frame.type === "end" || frame.type === "reset";
    if (fromWriter !== (half.kind === "receive"))
      return breach("L3", `${frame.type} from the wrong end of a stream`);
    return half.kind === "receive" ? this.#toReader(half, frame, now) : this.#toWriter(half, frame, now);
  }

  #toReader(half: ReceiveHalf, frame: StreamFrame, now: number): SessionError | undefined {
    switch (frame.type) {
      case "data": {
        const rule = half.arrive(frame, now) ?? (frame.end ? this.#end(half, undefined) : undefined);
        return rule === undefined ? undefined : breach(rule, RULES[rule]);
      }
      case "end": {
        const rule = this.#end(half, frame.offset);
        return rule === undefined ? undefined : breach(rule, RULES[rule]);
      }
      case "reset": {
        this.#remove(half);
        half.wasReset(frame.code, frame.message, frame.data);
        return this.#options.faults.reset(now);
      }
    }
    return undefined;
  }

  #toWriter(half: SendHalf, frame: StreamFrame, now: number): SessionError | undefined {
    if (frame.type === "grant") {
      half.granted(frame.offset);
      this.#options.observer?.credit?.("in", half.id, frame.offset);
      return undefined;
    }
    if (frame.type !== "stop") return undefined;
    half.reset(frame.code, frame.message, "peer"); // S9
    return this.#options.faults.reset(now);
  }

  #end(half: ReceiveHalf, offset: number | undefined): "F2a" | undefined {
    if (half.isInItem) return "F2a"; // while it is here, so that it is lost with the session
    this.#remove(half);
    return half.ended(offset);
  }

  // S13: at or below the highest mentioned and not open, so it has been here.
  #late(frame: StreamFrame): SessionError | undefined {
    const fromReader = frame.type === "grant" || frame.type === "stop";
    if (fromReader && this.#registry.crossed()) return undefined;
    this.#options.fault({ rule: "S13", message: `${frame.type} for a stream that is gone` });
    return undefined;
  }

  /** The half's end is on its way (S8). */
  ended(half: SendHalf): void {
    this.#remove(half);
    this.#forget(half);
  }

  // What the halves tell.

  ready(half: SendHalf): void {
    this.scheduler.ready(half);
    this.#options.wake();
  }

  reset(half: SendHalf, code: number, message: string, data: unknown): void {
    // What waits to be sent keeps a draining session from ending in the middle of this.
    this.#outbox?.control(resetFrame(half.id, code, message, data));
    this.#letGo(half);
    this.#remove(half);
    this.#options.wake();
  }

  grant(half: ReceiveHalf, offset: number): void {
    this.#outbox?.grant(half.id, offset);
    this.#options.observer?.credit?.("out", half.id, offset);
    this.#options.wake();
  }

  stop(half: ReceiveHalf, code: number, message: string): void {
    this.#outbox?.forget(half.id);
    this.#outbox?.control({ type: "stop", id: half.id, code, message: short(message) });
    if (code === StreamCode.limit || code === StreamCode.protocol) this.#options.forced(); // S6, S7
    this.#options.wake();
  }

  released(half: ReceiveHalf): void {
    this.#forget(half);
  }

  unreadBy(delta: number): void {
    this.#unread += delta;
  }

  /** L2: the peer sends no more. Readers get what arrived and then the cause; writers spend the credit they hold. */
  inputEnded(cause: SessionError): void {
    this.#inputEnded = cause;
    for (const half of [...this.#registry.values()].reverse()) this.#cutOff(half, cause);
  }

  #cutOff(half: Half, cause: SessionError): void {
    if (half.kind === "send") return half.lastCredit(cause);
    this.#remove(half);
    half.lose(cause);
  }

  /** The session is over. Returns what tells the halves. */
  lose(cause: SessionError): () => void {
    this.scheduler.clear();
    const halves = this.#registry.clear();
    const live = [...this.#live].reverse();
    this.#live.clear();
    this.#unread = 0;
    return () => {
      for (const half of halves) half.lose(cause);
      for (const half of live) half.onReleased?.();
    };
  }

  #remove(half: Half): void {
    this.#registry.remove(half);
    if (half.kind === "receive") this.#outbox?.forget(half.id);
    this.#options.settled();
  }

  #forget(half: Half): void {
    if (this.#letGo(half)) half.onReleased?.();
    this.#options.settled();
  }

  #letGo(half: Half): boolean {
    if (!this.#live.delete(half)) return false;
    this.#options.observer?.stream?.("over", half);
    return true;
  }
}

const RULES = {
  S4: "data beyond the granted credit",
  F2a: "data that does not fit its stream",
} as const;

function breach(rule: string, message: string): SessionError {
  return new SessionError("protocol", "peer", `${message} (${rule})`, { rule });
}

// F1: control payloads are at most 4 KiB. An escaped character takes six bytes, so a message up to 3000.
const MESSAGE = 500;
const DATA = 900;

function short(message: string): string {
  return message.length > MESSAGE ? `${message.slice(0, MESSAGE)}…` : message;
}

function resetFrame(id: number, code: number, message: string, data: unknown): ResetFrame {
  const frame: ResetFrame = { type: "reset", id, code, message: short(message) };
  return data !== undefined && isSmall(data) ? { ...frame, data } : frame;
}

function isSmall(data: unknown): boolean {
  try {
    const text = JSON.stringify(data) as string | undefined;
    return text !== undefined && text.length <= DATA && utf8Length(text) <= DATA;
  } catch {
    return false; // no JSON: a BigInt, a circle
  }
}
