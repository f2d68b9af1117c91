export { Core } from "./core.ts";
export type { CallOptions, CoreOptions } from "./options.ts";
export type { Host, HostStream, Observer } from "./host.ts";
export { LIMITS, withDefaults } from "./limits.ts";
export type { Limits } from "./limits.ts";
export { CancelledError, RefusedError, RpcError, SessionError, TimeoutError } from "./error.ts";
export type { SessionErrorCode } from "./error.ts";
export type { IncomingCall, IncomingState, LaneOf } from "./incoming.ts";
export type { IncomingNotification } from "./incoming-notification.ts";
export type { OutgoingCall, OutgoingState, Waiter } from "./outgoing.ts";
export type { Encoding, Hello, PeerLimits } from "./greeting.ts";
export type { Fault } from "./faults.ts";
export type { Phase } from "./phase.ts";
export type { Stats } from "./stats.ts";
export type { Liftable, Mention } from "./mention-out.ts";

// What the machine is built from.
export { Deadlines } from "./deadlines.ts";
export type { Deadline } from "./deadlines.ts";
export { PHASE } from "./phase.ts";
export { INCOMING_CALL } from "./incoming.ts";
export { OUTGOING_CALL } from "./outgoing.ts";
