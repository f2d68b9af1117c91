export { SendHalf, SEND_HALF, ITEM_COST } from "./send-half.ts";
export type { Piece, SendHost, SendState } from "./send-half.ts";
export { ReceiveHalf, RECEIVE_HALF } from "./receive-half.ts";
export type { Arrival, ReceiveHost, ReceiveOptions, ReceiveState } from "./receive-half.ts";
export { ReceiveWindow, SendWindow } from "./window.ts";
export type { Growth } from "./window.ts";
export { Registry } from "./registry.ts";
export type { Half, Role } from "./registry.ts";
export { ForeignHalf, ForeignRegistry, FOREIGN_HALF } from "./foreign.ts";
export type { Bound, ForeignOptions, ForeignState } from "./foreign.ts";
export { Scheduler } from "./scheduler.ts";
export { StreamCode, StreamError } from "./error.ts";

// What the machines are built from.
export { diagram, IllegalMove, may, move } from "./table.ts";
export type { Table } from "./table.ts";
export { RateBudget, SharedBudget } from "./budget.ts";
export { Deque } from "./deque.ts";
