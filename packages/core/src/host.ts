// What the machine asks of whoever drives it. Calls come out of the verbs of `Core` and may call its verbs again: the
// machine has finished its own change of state by then.
import type { ControlFrame, Message } from "@sluice/codec";
import type { Half } from "@sluice/streams";
import type { SessionError } from "./error.ts";
import type { Fault } from "./faults.ts";
import type { Hello } from "./greeting.ts";
import type { IncomingCall } from "./incoming.ts";
import type { IncomingNotification } from "./incoming-notification.ts";
import type { Liftable } from "./mention-out.ts";
import type { OutgoingCall } from "./outgoing.ts";

/** A stream of the driver's, found in params or a result. */
export interface HostStream extends Liftable {
  /** Gives it its half, once the message that mentions it is on its way. May keep `onReleased` to itself, to call it later. */
  attach(half: Half): void;
  /** Lets go of it: the message that mentions it will not be sent, and was its only owner. */
  discard?(reason: Error): void;
}

export interface Host {
  /** There is something to send: call `flush` soon, once for all that this turn produces; or `now`, for it is much. */
  wake(now?: boolean): void;
  /** Call `turn` in the next macrotask: what follows an answer waits for the caller's continuation. */
  turn(): void;
  /** Stop reading the transport, as much waits for a turn as may, and go on. What has been read is still taken. */
  pause(paused: boolean): void;
  /** The earliest deadline is now earlier. */
  schedule(): void;
  /** Run it, and answer with its `succeed` or `fail`. Must not throw. */
  call(call: IncomingCall): void;
  /** Run it, and call its `done` once that has settled. Must not throw. */
  notification(notification: IncomingNotification): void;
  /** Whether an outgoing object is a stream. */
  lift(value: object): HostStream | undefined;
  /** What stands in params or a result in the place of a stream the peer mentioned. `call` is the one that carried it. */
  received(half: Half, call: IncomingCall | OutgoingCall): unknown;
  /** The greeting is over; without a hello the peer is a plain JSON-RPC peer. */
  open(peer: Hello | undefined): void;
  /** The peer drains: no call above `call` will run (C6). */
  draining(call: number, reason: string): void;
  fault(fault: Fault): void;
  /** The session is over and everything in it has been told. Flush once more, then let go of the transport. */
  ended(error: SessionError): void;
}

/** Sees everything that passes; for taps, inspectors and tracing. Must not throw, and changes nothing. */
export interface Observer {
  /** A message or frame, as it comes or goes. */
  frame?(direction: "in" | "out", frame: Message | ControlFrame | string): void;
  /** A call of ours (`out`) or the peer's (`in`) began, was cancelled, or was answered. */
  call?(
    direction: "in" | "out",
    event: "start" | "cancel" | "end",
    id: number | string | null,
    method: string,
  ): void;
  /** A stream was opened, or is over. */
  stream?(event: "open" | "over", half: Half): void;
  /** Credit moved: granted by us (`out`) or by the peer (`in`), as an absolute offset. */
  credit?(direction: "in" | "out", id: number, offset: number): void;
}
