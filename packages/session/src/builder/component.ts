// What a connection can be connected to: a transport, or whatever connects itself to one, such as another builder.
import type { Fault, Limits, Observer } from "@sluice/core";
import { memoryPair, type Transport } from "@sluice/transport";
import type { LeakOptions } from "../leaks.ts";

export interface ConnectOptions extends LeakOptions {
  readonly limits?: Partial<Limits>;
  /**
   * Greets (H1), so that a peer which is Sluice too can be sent streams, in binary; a peer that is not answers that it knows no
   * `$/hello`, and nothing else is different. Default false. A role that waits for who is there, in `connectTo`, is greeted
   * in any case.
   */
  readonly streams?: boolean;
  /** Ends the connection when it aborts. */
  readonly signal?: AbortSignal;
  readonly observer?: Observer;
  /** Told of what the peer does wrong and the connection survives. */
  readonly onFault?: (fault: Fault) => void;
  /** Told what handlers threw that the peer is not told, and of handlers that go wrong. Default: console.error. */
  readonly onHandlerError?: (error: unknown, method: string) => void;
  /**
   * ms that a handler may hold the connection while another message waits behind it. Then `onHandlerError` is told and
   * the connection goes on without it. Default 30 000.
   */
  readonly holding?: number;
}

/** Something that can be the other end. */
export interface Component {
  /** Settles once the connection is over. Rejects with what went wrong. */
  connectTo(transport: Transport, options?: ConnectOptions): Promise<void>;
}

/** What `target` is joined to us by; `running` is the component that it is, if it is one. */
export interface Joined {
  readonly transport: Transport;
  readonly running: Promise<void> | undefined;
}

export function join(target: Transport | Component): Joined {
  if (!("connectTo" in target)) return { transport: target, running: undefined };
  const [ours, theirs] = memoryPair({ unit: "messages" });
  return { transport: ours, running: target.connectTo(theirs) };
}
