import type { Transport } from "@sluice/transport";
import type { Component, ConnectOptions } from "./component.ts";
import { Connection } from "./connection.ts";
import type { ConnectionTo } from "./connection-to.ts";
import { runElsewhere } from "./dispatching.ts";
import type { NotificationType, NotificationUnion, RequestType, RequestUnion, Tagged } from "./descriptor.ts";
import type { DispatchHandler, Link } from "./handler-chain.ts";
import {
  anyLink,
  dispatchLink,
  linkFrom,
  notificationLink,
  requestLink,
  type DispatchTypes,
  type NotificationHandler,
  type RequestHandler,
  type TypedDispatchHandler,
} from "./link.ts";
import type { Role } from "./role.ts";
import type { Mode } from "./session-of.ts";

type Task<Cx> = (cx: Cx) => unknown;

/**
 * Describes a connection, and makes as many as one likes. Handlers are asked in the order they are registered, and the first
 * that claims a message has it. Messages are run one at a time: what is slow belongs into `cx.spawn`.
 */
export class Builder<Cx extends ConnectionTo = ConnectionTo> implements Component {
  readonly role: Role<Cx>;
  readonly #links: Link[] = [];
  readonly #tasks: Task<never>[] = [];
  readonly #closers: Task<never>[] = [];
  #name: string | undefined;

  constructor(role: Role<Cx>) {
    this.role = role;
  }

  /** Names it in what is reported. */
  name(name: string): this {
    this.#name = name;
    return this;
  }
  get label(): string {
    return this.#name ?? this.role.name;
  }

  /** Adds a handler that sees everything: requests, notifications, and the answers to requests of ours. */
  withHandler(handler: DispatchHandler<Cx>): this {
    return this.#add(anyLink(handler));
  }

  /**
   * Handles requests of `type`. Params that are not what it says are answered -32602, and no later handler sees them. What the
   * handler throws is the answer: an `RpcError` as it is, anything else as -32603 without its text. It may return
   * `Handled.no()` to pass the request on; any other return claims it.
   */
  onReceiveRequest<P, R>(type: RequestType<P, R>, handler: RequestHandler<P, R, Cx>): this;
  onReceiveRequest<P, R>(types: RequestUnion<P, R>, handler: RequestHandler<Tagged<P>, R, Cx>): this;
  onReceiveRequest<P, R>(
    type: RequestType<P, R> | RequestUnion<P, R>,
    handler: RequestHandler<never, R, Cx>,
  ): this {
    return this.onReceiveRequestFrom(
      this.#only,
      type as RequestType<P, R>,
      handler as RequestHandler<P, R, Cx>,
    );
  }

  /** As `onReceiveRequest`, for what comes from one of several peers, out of its envelope. */
  onReceiveRequestFrom<P, R>(peer: Role, type: RequestType<P, R>, handler: RequestHandler<P, R, Cx>): this;
  onReceiveRequestFrom<P, R>(
    peer: Role,
    types: RequestUnion<P, R>,
    handler: RequestHandler<Tagged<P>, R, Cx>,
  ): this;
  onReceiveRequestFrom<P, R>(
    peer: Role,
    type: RequestType<P, R> | RequestUnion<P, R>,
    handler: RequestHandler<never, R, Cx>,
  ): this {
    return this.#addFrom(peer, requestLink(type, handler));
  }

  /** Handles notifications of `type`. What is wrong with them, and what the handler throws, is reported and nobody is told. */
  onReceiveNotification<P>(type: NotificationType<P>, handler: NotificationHandler<P, Cx>): this;
  onReceiveNotification<P>(types: NotificationUnion<P>, handler: NotificationHandler<Tagged<P>, Cx>): this;
  onReceiveNotification<P>(
    type: NotificationType<P> | NotificationUnion<P>,
    handler: NotificationHandler<never, Cx>,
  ): this {
    return this.onReceiveNotificationFrom(
      this.#only,
      type as NotificationType<P>,
      handler as NotificationHandler<P, Cx>,
    );
  }

  onReceiveNotificationFrom<P>(
    peer: Role,
    type: NotificationType<P>,
    handler: NotificationHandler<P, Cx>,
  ): this;
  onReceiveNotificationFrom<P>(
    peer: Role,
    types: NotificationUnion<P>,
    handler: NotificationHandler<Tagged<P>, Cx>,
  ): this;
  onReceiveNotificationFrom<P>(
    peer: Role,
    type: NotificationType<P> | NotificationUnion<P>,
    handler: NotificationHandler<never, Cx>,
  ): this {
    return this.#addFrom(peer, notificationLink(type, handler));
  }

  /** Handles requests and notifications of these types, and the answers to requests of ours of that type. */
  onReceiveDispatch<Q, R, N>(
    types: DispatchTypes<Q, R, N>,
    handler: TypedDispatchHandler<Q, R, N, Cx>,
  ): this {
    return this.onReceiveDispatchFrom(this.#only, types, handler);
  }

  onReceiveDispatchFrom<Q, R, N>(
    peer: Role,
    types: DispatchTypes<Q, R, N>,
    handler: TypedDispatchHandler<Q, R, N, Cx>,
  ): this {
    return this.#addFrom(peer, dispatchLink(types, handler));
  }

  /** Adds all that `other` has gathered, at this place. */
  withConnectionBuilder(other: Builder<Cx>): this {
    for (const link of other.#links) this.#links.push({ ...link, name: `${other.label}: ${link.name}` });
    this.#tasks.push(...other.#tasks);
    this.#closers.push(...other.#closers);
    return this;
  }

  /** Runs a task as long as the connection lasts. What it throws ends the connection; its end does not. */
  withRunner(task: (cx: Cx) => unknown): this {
    this.#tasks.push(task);
    return this;
  }

  /** The older name of `withRunner`. */
  withResponder(task: (cx: Cx) => unknown): this {
    return this.withRunner(task);
  }

  /** As `withRunner`. */
  withSpawned(task: (cx: Cx) => unknown): this {
    return this.withRunner(task);
  }

  /**
   * Runs `close` once the peer sends no more and all it sent has been run. Several run one after the other, all of them;
   * what the first throws that throws ends the connection.
   */
  onClose(close: (cx: Cx) => unknown): this {
    this.#closers.push(close);
    return this;
  }

  /**
   * Answers whoever is there until it sends no more, and `limits.grace` longer where requests are still being handled.
   * Rejects where the transport or a task fails.
   */
  async connectTo(target: Transport | Component, options: ConnectOptions = {}): Promise<void> {
    await this.start(target, options, "reactive").over();
  }

  /**
   * Runs `main` and ends the connection after it: what has been sent is flushed, what is pending is cancelled. Returns what
   * `main` returns. Rejects with what it throws, or with what ends the connection before; that the peer sends no more
   * does not end it, but requests fail from then on.
   */
  async connectWith<T>(
    target: Transport | Component,
    main: (cx: Cx) => T | PromiseLike<T>,
    options: ConnectOptions = {},
  ): Promise<T> {
    const connection = this.start(target, options);
    const release = connection.hold();
    try {
      await connection.opened();
      const cx = connection.contextOf(undefined) as Cx;
      const running = runElsewhere(async () => main(cx));
      running.catch(() => {}); // where the connection breaks first, that is what is thrown
      const result = await Promise.race([running, connection.broken]);
      release();
      await connection.finish();
      return result;
    } catch (error) {
      release();
      await connection.finish().catch(() => {});
      throw error;
    }
  }

  /** Starts a connection, for those who hold it themselves. */
  start(target: Transport | Component, options: ConnectOptions = {}, mode: Mode = "driving"): Connection {
    const connection = new Connection(
      {
        role: this.role,
        links: [...this.#links],
        closers: this.#closers as Task<unknown>[],
      },
      target,
      options,
      mode,
    );
    for (const task of this.#tasks)
      connection.tasks.spawn(async () => {
        await connection.opened();
        await task(connection.contextOf(undefined) as never);
      });
    return connection;
  }

  /** Whom the plain methods mean. @throws TypeError where this role has no counterpart it can address. */
  get #only(): Role {
    return this.role.counterpart;
  }

  #addFrom(peer: Role, link: Link): this {
    return this.#add(linkFrom(peer, this.role.styleOf(peer), link));
  }

  #add(link: Link): this {
    this.#links.push(link);
    return this;
  }
}
