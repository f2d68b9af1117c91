// Planted bugs, to see that the simulation finds them: each changes the machine while it is planted, and only there.
import { Core } from "@sluice/core";
import {
  Deque,
  ReceiveHalf,
  ReceiveWindow,
  Registry,
  Scheduler,
  SendHalf,
  SendWindow,
  SharedBudget,
} from "@sluice/streams";

export interface Mutant {
  readonly name: string;
  /** Plants it; returns what takes it out again. */
  readonly plant: () => () => void;
}

// A method, with the object it is called on as its first argument.
type Method<T, K extends keyof T> = T[K] extends (...args: infer A) => infer R
  ? (self: T, ...args: A) => R
  : never;
type Condition<T, K extends keyof T> = T[K] extends (...args: infer A) => unknown
  ? (...args: A) => boolean
  : never;

/** Puts `make(original)` in the place of a method, for as long as the mutant is planted. */
function mutant<T extends object, K extends keyof T>(
  name: string,
  on: T,
  key: K,
  make: (run: Method<T, K>) => Method<T, K>,
): Mutant {
  const plant = (): (() => void) => {
    const before = Object.getOwnPropertyDescriptor(on, key)!;
    const original = before.value as (...args: unknown[]) => unknown;
    const run = (self: T, ...args: unknown[]): unknown => original.apply(self, args);
    const changed = make(run as Method<T, K>) as unknown as (self: T, ...args: unknown[]) => unknown;
    const value = function (this: T, ...args: unknown[]): unknown {
      return changed(this, ...args);
    };
    Object.defineProperty(on, key, { ...before, value });
    return () => void Object.defineProperty(on, key, before);
  };
  return { name, plant };
}

/** Leaves out every call of a method for which `when` holds. */
function without<T extends object, K extends keyof T>(
  name: string,
  on: T,
  key: K,
  when?: Condition<T, K>,
): Mutant {
  const leave = when as ((...args: unknown[]) => boolean) | undefined;
  return mutant(name, on, key, (run) => {
    const original = run as unknown as (self: T, ...args: unknown[]) => unknown;
    const changed = (self: T, ...args: unknown[]): unknown =>
      leave === undefined || leave(...args) ? undefined : original(self, ...args);
    return changed as unknown as Method<T, K>;
  });
}

// The parts of a core, to reach their prototypes.
const core = new Core({ role: "initiator", unit: "bytes" }, {} as never);
const Streams = prototypeOf(core.streams);
const Outbox = prototypeOf(core.outbox);
const Calls = prototypeOf(core.calls);
const Deadlines = prototypeOf(core.deadlines);
const Send = SendHalf.prototype;
const Receive = ReceiveHalf.prototype;
const Window = ReceiveWindow.prototype;

function prototypeOf<T extends object>(of: T): T {
  return Object.getPrototypeOf(of) as T;
}

const CREDIT: readonly Mutant[] = [
  mutant(
    "grants twice the offset",
    Streams,
    "grant",
    (run) => (self, half, offset) => run(self, half, 2 * offset),
  ),
  without("forgets to grant", Streams, "grant"),
  mutant("grants and does not say so", Window, "read", (run) => (self, n) => void run(self, n)),
  mutant(
    "takes the window for twice as large",
    Streams,
    "greeted",
    (run) => (self, peer) => run(self, peer && { ...peer, window: 2 * peer.window }),
  ),
  mutant(
    "sends beyond the credit",
    SendWindow.prototype,
    "take",
    (run) => (self, n) => run(self, Math.max(0, n - 1)),
  ),
  mutant("counts what is read twice", Window, "read", (run) => (self, n) => run(self, 2 * n)),
  mutant("counts items short", Window, "arrive", (run) => (self, n) => run(self, n > 32 ? n - 1 : n)),
  without("does not count what is unread", Streams, "unreadBy"),
  mutant("grows without a bound", SharedBudget.prototype, "claim", () => () => true),
  without("waits for credit that will not come", Send, "lastCredit"),
];

const ORDER: readonly Mutant[] = [
  mutant("drops the last byte of a piece", Send, "pull", (run) => (self, max) => {
    const piece = run(self, max);
    if (piece === undefined || piece.item || piece.payload.length < 100) return piece;
    return { ...piece, payload: piece.payload.subarray(0, -1) };
  }),
  mutant("loses the rest of a chunk that is cut", Deque.prototype, "unshift", () => () => {}),
  mutant("sends the rest of a chunk last", Deque.prototype, "unshift", () => (self, rest) => self.push(rest)),
  mutant("sends the same piece twice", Outbox, "flush", (run) => (self, beside) => {
    const chunks = run(self, beside);
    const last = chunks.at(-1);
    return typeof last === "string" && last.includes("$/stream/data") ? [...chunks, last] : chunks;
  }),
  mutant(
    "turns a chunk round",
    Send,
    "write",
    (run) => (self, chunk) => run(self, self.id === 3 && chunk.length > 10 ? chunk.slice().reverse() : chunk),
  ),
  mutant("takes a part for an item", Send, "pull", (run) => (self, max) => {
    const piece = run(self, max);
    return piece === undefined ? undefined : { ...piece, more: false };
  }),
  mutant("ends before everything is sent", Send, "pull", (run) => (self, max) => {
    const piece = run(self, max);
    return piece === undefined || self.state !== "ending" || piece.more ? piece : { ...piece, end: true };
  }),
  without("loses a notification", Calls, "notification"),
  mutant("lets what follows an answer start at once", Calls, "answer", (run) => (self, message, text) => {
    run(self, message, text);
    self.turn();
  }),
  mutant("forgets whose turn it is to send", Scheduler.prototype, "ready", (run) => (self, half) => {
    if (half.window.sent < 3000) run(self, half);
  }),
];

const ENDS: readonly Mutant[] = [
  without("forgets the reset after a stop", Outbox, "control", (frame) => frame.type === "reset"),
  without("forgets to stop", Outbox, "control", (frame) => frame.type === "stop"),
  mutant("resets twice", Outbox, "control", (run) => (self, frame) => {
    run(self, frame);
    if (frame.type === "reset") run(self, frame);
  }),
  mutant("resets an ended stream", Streams, "ended", (run) => (self, half) => {
    run(self, half);
    self.reset(half, 1, "", undefined);
  }),
  without("does not drop the streams of a failed call", Streams, "drop", (_, __, message) =>
    message.includes("S10"),
  ),
  without("does not drop what the handler left", Streams, "drop", (_, __, message) =>
    message.includes("S11"),
  ),
  without("does not drop what nobody wants", Streams, "drop", (_, __, message) => message.includes("S2a")),
  mutant(
    "takes what was dropped for its end",
    Receive,
    "stop",
    (run) => (self, code, message) => run(self, code, message),
  ),
  mutant("does not count what crossed an end", Registry.prototype, "crossed", () => () => false),
  mutant("forgets a stopped stream too early", Registry.prototype, "find", (run) => (self, id) => {
    const half = run(self, id);
    return typeof half === "object" && half.kind === "receive" && half.state === "stopping" ? "gone" : half;
  }),
  mutant(
    "uses the peer's stream ids",
    Registry.prototype,
    "allocate",
    (run) => (self) => (run(self) ?? 0) + 1,
  ),
  without("does not tell the writer that the session is gone", Send, "lose"),
  without("does not tell the reader that the session is gone", Receive, "lose"),
  mutant("does not tell the reader of an end", Receive, "ended", () => () => undefined),
  mutant("takes a reset for an end", Receive, "wasReset", () => (self) => void self.ended(undefined)),
];

const CALLS: readonly Mutant[] = [
  mutant("answers twice", Outbox, "message", (run) => (self, text) => {
    run(self, text);
    if (text.includes('"result"') && text.includes("token")) run(self, text);
  }),
  without(
    "forgets an answer",
    Outbox,
    "message",
    (text) => text.includes('"result"') && text.length % 7 === 0,
  ),
  mutant("gives an answer to another call", Calls, "answer", (run) => (self, message, text) => {
    const id = typeof message.id === "number" && self.pending > 1 ? message.id + 1 : message.id;
    run(self, { ...message, id }, text);
  }),
  mutant("runs a call twice", Calls, "request", (run) => (self, message, text, batch) => {
    run(self, message, text, batch);
    run(self, { ...message, id: Number(message.id) + 0.5 }, text, batch);
  }),
  without("forgets to cancel", Outbox, "message", (text) => text.includes("$/cancelRequest")),
  without("ignores a cancel", Calls, "cancel"),
  mutant("tells a caller twice", Core.prototype, "cancel", (run) => (self, call, error) => {
    run(self, call, error);
    call.waiter.error(error);
  }),
  without("lets deadlines stand when it ends", Deadlines, "clear"),
  without("has no deadlines", Deadlines, "run"),
  mutant("does not fail the calls of a session that ends", Calls, "lose", () => () => () => {}),
  mutant("drops what was accepted when it closes", Core.prototype, "close", (run) => (self, reason) => {
    self.outbox.clear();
    run(self, reason);
  }),
  without("tells no caller of the end of input", Calls, "inputEnded"),
];

export const MUTANTS: readonly Mutant[] = [...CREDIT, ...ORDER, ...ENDS, ...CALLS];
