import type { Dialect, Framing } from "@sluice/codec";
import type { Role } from "@sluice/streams";
import type { Encoding } from "./greeting.ts";
import type { Observer } from "./host.ts";
import type { LaneOf } from "./incoming.ts";
import type { Limits } from "./limits.ts";

export interface CoreOptions {
  readonly role: Role;
  /** Default `jsonrpc`. */
  readonly dialect?: Dialect;
  /** `bytes` needs a framing, default `Lines`; `messages`: each chunk is one whole message. */
  readonly unit: "bytes" | "messages";
  readonly framing?: (limits: Limits) => Framing;
  readonly limits?: Partial<Limits>;
  /** What we offer, best first. Default frames, then JSON. */
  readonly encodings?: readonly Encoding[];
  /** H4: frames from the first byte. */
  readonly framesFromStart?: boolean;
  readonly name?: string;
  readonly capabilities?: Readonly<Record<string, unknown>>;
  /** Whether errors may quote the start of what the peer sent, as is right for a child process of our own. */
  readonly quotes?: boolean;
  /** Memory for a frame that goes out in one message; the transport may use it again. Default: new memory. */
  readonly allocate?: ((bytes: number) => Uint8Array) | undefined;
  /** ms between pings while nothing arrives; default: none are sent. */
  readonly keepAlive?: number;
  readonly laneOf?: LaneOf;
  /** Whether the peer's cancels, once taken, are also given to the host as the notifications they are. Default: no. */
  readonly passesCancels?: boolean;
  readonly observer?: Observer;
}

export interface CallOptions {
  /** ms; with `now`, on the driver's clock. Then the call is given up with a `TimeoutError` and the peer told. */
  readonly timeout?: number;
  readonly now?: number;
  /** Members beside JSON-RPC's own, such as `traceparent` (C5). */
  readonly extras?: Readonly<Record<string, unknown>>;
}
