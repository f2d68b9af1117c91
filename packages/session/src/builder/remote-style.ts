import type { ChainMessage } from "../chain.ts";

/** How messages to and from one of several peers differ from those of the others. */
export interface RemoteStyle {
  /** What goes on the wire. `connection` is what it goes over, to remember things by: see `ConnectionTo.connection`. */
  outgoing(message: ChainMessage, connection: object): ChainMessage;
  /** The message as that peer sent it; undefined where it is another's. @throws RpcError where it is malformed. */
  incoming(message: ChainMessage): ChainMessage | undefined;
  /** `inner`, changed, back in what it came in. */
  wrapAgain(outer: ChainMessage, inner: ChainMessage): ChainMessage;
}

/** The only peer there is: everything is for it and from it. */
export const counterpartStyle: RemoteStyle = {
  outgoing: (message) => message,
  incoming: (message) => message,
  wrapAgain: (_outer, inner) => inner,
};
