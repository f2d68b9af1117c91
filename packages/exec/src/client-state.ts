import type { Table } from "@sluice/streams";

/** `connecting` until the first handshake is over; `failed` and `closed` are for good. */
export type ClientState = "connecting" | "connected" | "recovering" | "failed" | "closed";
export type ClientEvent = "connect" | "lose" | "fail" | "close";

export const CLIENT: Table<ClientState, ClientEvent> = {
  connecting: { connect: "connected", fail: "failed", close: "closed" },
  connected: { lose: "recovering", fail: "failed", close: "closed" },
  recovering: { connect: "connected", fail: "failed", close: "closed" },
  failed: {},
  closed: {},
};
