// The frames of PROTOCOL F: everything two peers can say to each other beside plain JSON-RPC messages.

export interface DataFrame {
  readonly type: "data";
  readonly id: number;
  /** What credit counts (S5): the bytes here; for an item its UTF-8 bytes, parts adding up. */
  readonly size: number;
  /** The payload: bytes, or the UTF-8 of an item or of a part of one. In the JSON encoding an item comes parsed. */
  readonly payload: Uint8Array | { readonly value: unknown };
  readonly item: boolean;
  /** F2: more parts of this item follow. */
  readonly more: boolean;
  readonly end: boolean;
}

export interface EndFrame {
  readonly type: "end";
  readonly id: number;
  /** How many bytes were sent in all, as credit counts them (S7). */
  readonly offset: number;
}

export interface ResetFrame {
  readonly type: "reset";
  readonly id: number;
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

export interface StopFrame {
  readonly type: "stop";
  readonly id: number;
  readonly code: number;
  readonly message: string;
}

export interface GrantFrame {
  readonly type: "grant";
  readonly id: number;
  /** S5: absolute. */
  readonly offset: number;
}

/** `token`: 16 hexadecimal digits, 8 bytes on the wire. */
export interface PingFrame {
  readonly type: "ping" | "pong";
  readonly token: string;
}

/** C6: `call` is the highest call id that was accepted. */
export interface DrainFrame {
  readonly type: "drain";
  readonly call: number;
  readonly reason: string;
}

export type StreamFrame = DataFrame | EndFrame | ResetFrame | StopFrame | GrantFrame;
export type ControlFrame = StreamFrame | PingFrame | DrainFrame;
export type FrameType = "message" | ControlFrame["type"];

/** F1: the type byte of each frame. */
export const FRAME_TYPE: Readonly<Record<FrameType, number>> = {
  message: 0,
  data: 1,
  end: 2,
  reset: 3,
  stop: 4,
  grant: 5,
  ping: 6,
  pong: 7,
  drain: 8,
};
export const FRAME_NAME: readonly FrameType[] = Object.keys(FRAME_TYPE) as FrameType[];
/** F3: a frame of an unknown type with this bit is ignored. */
export const IGNORABLE: number = 0x80;
export const HEADER: number = 12;
export const END_FLAG: number = 0x1;
export const ITEM_FLAG: number = 0x2;
export const MORE_FLAG: number = 0x4;
/** S2: the highest stream id. */
export const MAX_STREAM: number = 2 ** 31 - 1;
