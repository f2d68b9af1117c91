// Which side of a connection one is: whom one is connected to, whom one can address over that connection, and what
// becomes of what no handler claims.
import { jsonrpc, type Dialect, type Id } from "@sluice/codec";
import type { ChainMessage } from "../chain.ts";
import { Builder } from "./builder.ts";
import { ConnectionTo, type Line } from "./connection-to.ts";
import type { Dispatch } from "./dispatch.ts";
import type { DispatchHandler } from "./handler-chain.ts";
import { counterpartStyle, type RemoteStyle } from "./remote-style.ts";

export interface RoleOptions<Cx extends ConnectionTo = ConnectionTo> {
  readonly name: string;
  /** Who is at the other end. */
  readonly counterpart: () => Role;
  /** Whom one can address. Default: the counterpart. */
  readonly peers?: () => ReadonlyMap<Role, RemoteStyle>;
  /** Who speaks first, and greets where a greeting is wanted. Default `initiator`. */
  readonly side?: "initiator" | "acceptor";
  /** Default: JSON-RPC 2.0, without a greeting. */
  readonly dialect?: Dialect;
  /** Handles what no handler claimed. */
  handler?(dispatch: Dispatch, cx: Cx): ReturnType<DispatchHandler>;
  /** Sees every request and notification as it arrives, before it waits for its turn. Must not throw. */
  readonly sees?: (message: ChainMessage, connection: object) => void;
  /** The request a notification cancels, where that is not plain from the dialect. */
  readonly cancelled?: (notification: ChainMessage) => Id | undefined;
  /** Whether a notification is a cancel: it goes one hop and is never passed on. Default: by the dialect's method. */
  readonly isCancel?: (notification: ChainMessage) => boolean;
  /** What handlers are given. Default: a `ConnectionTo`. */
  readonly connection?: new (line: Line) => Cx;
}

export class Role<Cx extends ConnectionTo = ConnectionTo> {
  readonly name: string;
  readonly dialect: Dialect;
  readonly options: RoleOptions<Cx>;

  constructor(options: RoleOptions<Cx>) {
    this.name = options.name;
    this.dialect = options.dialect ?? { ...jsonrpc, greets: false };
    this.options = options;
  }

  get counterpart(): Role {
    return this.options.counterpart();
  }

  /** A connection in this role, to be described. */
  builder(): Builder<Cx> {
    return new Builder<Cx>(this);
  }

  /** @throws TypeError where this role cannot address `peer`. */
  styleOf(peer: Role): RemoteStyle {
    const peers = this.options.peers?.();
    const style = peers === undefined && peer === this.counterpart ? counterpartStyle : peers?.get(peer);
    if (style !== undefined) return style;
    const names = [...(peers?.keys() ?? [this.counterpart])].map(({ name }) => name).join(", ");
    throw new TypeError(
      `${this.name} cannot address ${peer.name}: say which of ${names} is meant, as in sendRequestTo(${names}, …) or onReceiveRequestFrom(${names}, …)`,
    );
  }

  isCancel(notification: ChainMessage): boolean {
    return this.options.isCancel?.(notification) ?? notification.method === this.dialect.cancel?.method;
  }

  contextOf(line: Line): Cx {
    const Connection =
      this.options.connection ?? (ConnectionTo as new (line: Line) => ConnectionTo as new (line: Line) => Cx);
    return new Connection(line);
  }
}

/** Plain JSON-RPC 2.0 with whoever is there. */
export const Untyped: Role = new Role({ name: "Untyped", counterpart: () => Untyped });
