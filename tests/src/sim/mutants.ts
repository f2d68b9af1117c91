// Planted bugs, to see that the simulation finds them: each changes the machine while it is planted, and only there.
import { Core, type OutgoingCall } from "@sluice/core";
import {
  ReceiveHalf,
  ReceiveWindow,
  Registry,
  Scheduler,
  SendHalf,
  SendWindow,
  type Half,
} from "@sluice/streams";

export interface Mutant {
  readonly name: string;
  /** Plants it; returns what takes it out again. */
  readonly plant: () => () => void;
}

// The parts of a core, to reach their prototypes.
const host = {} as never;
const core = new Core({ role: "initiator", unit: "bytes" }, host);
const Streams = proto(core.streams);
const Outbox = proto(core.outbox);
const Calls = proto(core.calls);
const Deadlines = proto(core.deadlines);

type Method = (this: never, ...args: never[]) => unknown;

function proto<T extends object>(of: T): T {
  return Object.getPrototypeOf(of) as T;
}

/** Puts `make(original)` in the place of a method, for as long as the mutant is planted. */
function mutant<T extends object, K extends keyof T>(
  name: string,
  on: T,
  key: K,
  make: (original: T[K]) => T[K],
): Mutant {
  return {
    name,
    plant: () => {
      const before = Object.getOwnPropertyDescriptor(on, key)!;
      Object.defineProperty(on, key, { ...before, value: make(before.value as T[K]) });
      return () => void Object.defineProperty(on, key, before);
    },
  };
}

/** Leaves out every call of a method for which `when` holds. */
function without<T extends object, K extends keyof T>(
  name: string,
  on: T,
  key: K,
  when: (...args: never[]) => boolean = () => true,
): Mutant {
  return mutant(name, on, key, (original) => {
    const method = original as unknown as Method;
    return function (this: never, ...args: never[]) {
      return when(...args) ? undefined : method.apply(this, args);
    } as T[K];
  });
}

const isFrame = (type: string) => (frame: { type: string }) => frame.type === type;

export const MUTANTS: readonly Mutant[] = [
  mutant(
    "grants twice the offset",
    Streams,
    "grant",
    (grant) =>
      function (this: never, half, offset) {
        return (grant as Method).call(this, half as never, (2 * offset) as never) as undefined;
      },
  ),
  without("forgets the reset after a stop", Outbox, "control", isFrame("reset") as never),
  without("forgets to stop", Outbox, "control", isFrame("stop") as never),
  without("forgets to grant", Streams, "grant"),
  without("does not count what is unread", Streams, "unreadBy"),
  mutant(
    "counts what is read twice",
    ReceiveWindow.prototype,
    "read",
    (read) =>
      function (this: ReceiveWindow, bytes) {
        return read.call(this, 2 * bytes);
      },
  ),
  without("does not drop the streams of a failed call", Streams, "drop", ((
    _: Half,
    __: number,
    message: string,
  ) => message.includes("S10")) as never),
  without("does not drop what the handler left", Streams, "drop", ((_: Half, __: number, message: string) =>
    message.includes("S11")) as never),
  without("does not drop the streams of an unwanted answer", Streams, "drop", ((
    _: Half,
    __: number,
    message: string,
  ) => message.includes("S2a")) as never),
  mutant(
    "drops the last byte of a piece",
    SendHalf.prototype,
    "pull",
    (pull) =>
      function (this: SendHalf, max) {
        const piece = pull.call(this, max);
        if (piece === undefined || piece.item || piece.payload.length < 100) return piece;
        return { ...piece, payload: piece.payload.subarray(0, -1) };
      },
  ),
  mutant(
    "sends the same piece twice",
    Outbox,
    "flush",
    (flush) =>
      function (this: never, beside) {
        const chunks = (flush as Method).call(this, beside as never) as (Uint8Array | string)[];
        const last = chunks.at(-1);
        return typeof last === "string" && last.includes("$/stream/data") ? [...chunks, last] : chunks;
      },
  ),
  mutant(
    "changes pieces of different streams",
    SendHalf.prototype,
    "write",
    (write) =>
      function (this: SendHalf, chunk) {
        return write.call(this, this.id === 3 && chunk.length > 10 ? chunk.slice().reverse() : chunk);
      },
  ),
  mutant(
    "ends twice",
    Outbox,
    "control",
    (control) =>
      function (this: never, frame) {
        (control as Method).call(this, frame as never);
        if (frame.type === "reset") (control as Method).call(this, frame as never);
      },
  ),
  mutant(
    "sends beyond the credit",
    SendWindow.prototype,
    "take",
    (take) =>
      function (this: SendWindow, bytes) {
        return take.call(this, Math.max(0, bytes - 1));
      },
  ),
  mutant(
    "forgets whose turn it is to send",
    Scheduler.prototype,
    "ready",
    (ready) =>
      function (this: Scheduler, half) {
        if (half.window.sent < 3000) ready.call(this, half);
      },
  ),
  mutant("does not count what crossed an end", Registry.prototype, "crossed", () => () => false),
  mutant(
    "takes a stream for gone too early",
    Registry.prototype,
    "find",
    (find) =>
      function (this: Registry, id) {
        const half = find.call(this, id);
        return typeof half === "object" && half.kind === "receive" && half.state === "stopping"
          ? "gone"
          : half;
      },
  ),
  mutant(
    "answers twice",
    Outbox,
    "message",
    (message) =>
      function (this: never, text) {
        (message as Method).call(this, text as never);
        if (text.includes('"result"') && text.includes("token"))
          (message as Method).call(this, text as never);
      },
  ),
  without("loses a held notification", Calls, "notification"),
  mutant(
    "lets what follows an answer start at once",
    Calls,
    "answer",
    (answer) =>
      function (this: never, message, text) {
        (answer as Method).call(this, message as never, text as never);
        (this as { turn(): void }).turn();
      },
  ),
  without("forgets to cancel", Outbox, "message", ((text: string) =>
    text.includes("$/cancelRequest")) as never),
  without(
    "forgets an answer",
    Outbox,
    "message",
    ((text: string) => text.includes('"result"') && text.length % 7 === 0) as never,
  ),
  mutant(
    "gives an answer to another call",
    Calls,
    "answer",
    (answer) =>
      function (this: never, message, text) {
        const id =
          typeof message.id === "number" && (this as unknown as { pending: number }).pending > 1
            ? message.id + 1
            : message.id;
        return (answer as Method).call(this, { ...message, id } as never, text as never) as undefined;
      },
  ),
  without("lets deadlines stand when it ends", Deadlines, "clear"),
  without("has no deadlines", Deadlines, "run"),
  without("does not tell the writer that the session is gone", SendHalf.prototype, "lose"),
  without("does not tell the reader that the session is gone", ReceiveHalf.prototype, "lose"),
  without("waits for credit that will not come", SendHalf.prototype, "lastCredit"),
  mutant("does not fail the calls of a session that ends", Calls, "lose", () => () => () => {}),
  without("ignores a cancel", Calls, "cancel"),
  mutant("tells nobody of the end of input", Calls, "inputEnded", () => () => {}),
  without("does not end an ended stream", ReceiveHalf.prototype, "ended"),
  mutant(
    "takes a reset for an end",
    ReceiveHalf.prototype,
    "wasReset",
    () =>
      function (this: ReceiveHalf) {
        this.ended(undefined);
      },
  ),
  mutant(
    "cancels without an end",
    Core.prototype,
    "cancel",
    (cancel) =>
      function (this: Core, call: OutgoingCall, error) {
        cancel.call(this, call, error);
        call.waiter.error(error);
      },
  ),
];
