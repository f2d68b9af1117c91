import { SessionError } from "@sluice/core";
import type { ChainMessage } from "../chain.ts";
import type { CallOptions } from "../session.ts";
import type { Builder } from "./builder.ts";
import type { Component, ConnectOptions } from "./component.ts";
import type { Connection } from "./connection.ts";
import { checkedResult, type NotificationType, type RequestType } from "./descriptor.ts";
import { messageOf, type Dispatch } from "./dispatch.ts";
import type { DispatchHandler } from "./handler-chain.ts";
import { letGo, type Item } from "./item.ts";
import type { Role } from "./role.ts";
import { SentRequest } from "./sent-request.ts";
import { spawnConnection } from "./spawn-connection.ts";
import type { Transport } from "@sluice/transport";

/** A connection, and the item whose handler this handle is for. */
export interface Line {
  readonly connection: Connection;
  readonly item: Item | undefined;
}

/** Keeps a handler that was added; disposing of it takes the handler out, at once. */
export interface DynamicHandlerGuard extends Disposable {
  /** Leaves the handler in for the rest of the connection. */
  detach(): void;
}

/** What a handler, a task or a main function has of its connection. */
export class ConnectionTo {
  readonly #line: Line;

  constructor(line: Line) {
    this.#line = line;
  }

  /** The role of this end. */
  get role(): Role {
    return this.#line.connection.role;
  }

  /** The role of who is at the other end. */
  get counterpart(): Role {
    return this.#line.connection.role.counterpart;
  }

  /** The connection itself, the same for every handle of it: to remember things by, as in a `WeakMap`. */
  get connection(): object {
    return this.#line.connection;
  }

  /** The methods of our requests that wait for an answer, or whose answer waits for its turn. */
  get pending(): readonly string[] {
    return this.#line.connection.pending;
  }

  /** Aborts when the connection is over. */
  get signal(): AbortSignal {
    return this.#line.connection.signal;
  }

  /** Sends a request. Never throws for what becomes of it: every failure is its outcome. */
  sendRequest<P, R>(type: RequestType<P, R>, params: P, options?: CallOptions): SentRequest<R, this> {
    return this.sendRequestTo(this.counterpart, type, params, options);
  }

  /** As `sendRequest`, to one of several peers. @throws TypeError where this role cannot address it. */
  sendRequestTo<P, R>(
    peer: Role,
    type: RequestType<P, R>,
    params: P,
    options?: CallOptions,
  ): SentRequest<R, this> {
    const { connection, item } = this.#line;
    const message = { method: type.method, params: params as ChainMessage["params"] };
    const pending = connection.send(peer, message, item, options);
    return new SentRequest<R, this>(connection, pending, (value) => checkedResult(type, value) as R);
  }

  /**
   * Notifies. Settles once there is room for more, mostly at once; need not be awaited.
   * @throws RefusedError or SessionError, as what it returns, where it cannot be sent.
   */
  sendNotification<P>(type: NotificationType<P>, params: P): Promise<void> {
    return this.sendNotificationTo(this.counterpart, type, params);
  }

  sendNotificationTo<P>(peer: Role, type: NotificationType<P>, params: P): Promise<void> {
    return this.#notify(peer, { method: type.method, params: params as ChainMessage["params"] });
  }

  /** Passes a dispatch on to the counterpart; see `sendProxiedMessageTo`. */
  sendProxiedMessage(dispatch: Dispatch): Promise<void> | undefined {
    return this.sendProxiedMessageTo(this.counterpart, dispatch);
  }

  /**
   * Passes a dispatch on as it is: a request, whose answer and cancel are passed on as well; a notification, unless it
   * is a cancel, which goes one hop only; an answer, to who waits for it. What it returns settles once there is
   * room for more notifications: a handler that returns it takes no more than the other side does.
   */
  sendProxiedMessageTo(peer: Role, dispatch: Dispatch): Promise<void> | undefined {
    const { connection, item } = this.#line;
    if (dispatch.kind === "response") {
      dispatch.router.routeWithResult(dispatch.outcome);
      return undefined;
    }
    const message = messageOf(dispatch);
    if (dispatch.kind === "notification")
      return connection.role.isCancel(message) ? undefined : this.#notify(peer, message).catch(unlessOver);
    const pending = connection.send(peer, message, item);
    new SentRequest(connection, pending, (value) => value).forwardTo(dispatch.responder);
    return undefined;
  }

  /**
   * Runs `task` beside everything else. What it throws ends the connection with that error, unless `onError` is given.
   * @throws RefusedError where `limits.pending` tasks run.
   */
  spawn(task: () => unknown, options?: { readonly onError?: (error: unknown) => void }): void {
    const { connection, item } = this.#line;
    connection.tasks.spawn(task, item, options?.onError);
  }

  /**
   * Runs another connection until it or this one is over; its failure ends this one. Returns its handle.
   * @throws as `spawn`
   */
  spawnConnection<Cx extends ConnectionTo>(
    builder: Builder<Cx>,
    target: Transport | Component,
    options?: ConnectOptions,
  ): Cx {
    return spawnConnection(this.#line.connection, builder, target, options);
  }

  /** Adds a handler behind those of the builder. It is first offered what was parked for a retry, the oldest first. */
  addDynamicHandler(handler: DispatchHandler<this>): DynamicHandlerGuard {
    return this.#line.connection.handlers.add(handler);
  }

  /**
   * Settles once the peer sends no more, everything it sent has been run and the builder's `onClose` functions have, too.
   * @throws Error inside of one of those, which it would wait for.
   */
  incomingClosed(): Promise<void> {
    const { connection, item } = this.#line;
    return this.letGo(connection.incomingClosed(item));
  }

  /**
   * In a handler: lets the connection go on with the next message, as what the handler will now await may only come behind
   * it. For helpers that wait for messages; `result` and `incomingClosed` do so themselves.
   */
  letGo<T>(awaited: Promise<T>): Promise<T> {
    letGo(this.#line.item);
    return awaited;
  }

  get isIncomingClosed(): boolean {
    return this.#line.connection.isIncomingClosed;
  }

  #notify(peer: Role, message: ChainMessage): Promise<void> {
    return this.#line.connection.notify(peer, message);
  }
}

function unlessOver(error: unknown): void {
  if (!(error instanceof SessionError)) throw error;
}
