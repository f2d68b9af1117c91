// The kinds of items a connection runs.
import { ErrorCode, type Id, type NotificationMessage } from "@sluice/codec";
import { CancelledError, RpcError, type IncomingCall } from "@sluice/core";
import type { Line } from "./connection-to.ts";
import type { Connection } from "./connection.ts";
import type { Dispatch } from "./dispatch.ts";
import { asks, type Passed } from "./handler-chain.ts";
import { Item } from "./item.ts";
import type { Outcome } from "./outcome.ts";
import type { PendingRequest } from "./pending-request.ts";
import { Responder, type Answerable } from "./responder.ts";
import { ResponseRouter } from "./response-router.ts";
import { continuation } from "./queue.ts";

/** An item that goes down the handler chain. */
export abstract class DispatchItem extends Item implements Line {
  readonly connection: Connection;

  constructor(connection: Connection, size: number, origin?: Item) {
    super(connection.queue, size, origin);
    this.connection = connection;
  }

  get item(): Item {
    return this;
  }
  /** Whether it needs no handler any more. */
  get isOver(): boolean {
    return false;
  }
  /** What becomes of it where nobody claimed it. */
  abstract unclaimed(dispatch: Dispatch): void;
  /** A handler threw. */
  abstract failed(error: unknown): void;

  protected runChain(dispatch: Dispatch): Promise<void> | undefined {
    const { connection } = this;
    try {
      const passed = connection.chain.run(dispatch, connection.role.contextOf(this));
      if (!(passed instanceof Promise)) return this.#passed(passed);
      return passed.then(
        (settled) => this.#passed(settled),
        (error: unknown) => this.failed(error),
      );
    } catch (error) {
      this.failed(error);
      return undefined;
    }
  }

  #passed(passed: Passed | undefined): undefined {
    if (passed === undefined) return undefined;
    const { dispatch, retry } = passed;
    try {
      if (!this.isOver && asks(retry)) this.connection.handlers.park(dispatch, this, retry);
      else this.unclaimed(dispatch);
    } catch (error) {
      this.failed(error);
    }
    return undefined;
  }
}

export class RequestItem extends DispatchItem implements Answerable {
  readonly call: IncomingCall;
  #abort: AbortController | undefined;
  #responder: "to be used" | "kept" = "to be used";

  constructor(connection: Connection, call: IncomingCall) {
    super(connection, call.size);
    this.call = call;
  }

  // C3: one that has not started is answered unrun.
  override waits(): void {
    const { call } = this;
    call.onCancel = (reason): void => {
      if (this.state === "waiting") call.fail(reason);
    };
  }

  get label(): string {
    return this.call.method;
  }
  get method(): string {
    return this.call.method;
  }
  get id(): Id {
    return this.call.id;
  }
  override get isOver(): boolean {
    return this.call.isOver;
  }
  get cancelled(): Error | undefined {
    return this.call.cancelled;
  }

  run(): Promise<void> | undefined {
    const { call, connection } = this;
    if (call.isOver) return undefined;
    if (!connection.start(this)) {
      call.fail(new RpcError(ErrorCode.overloaded, "too many requests are being handled here already"));
      return undefined;
    }
    const { method, params } = call;
    return this.runChain({ kind: "request", method, params, responder: new Responder(this) });
  }

  unclaimed(): void {
    this.call.fail(new RpcError(ErrorCode.methodNotFound, "method not found"));
  }

  failed(error: unknown): void {
    const { call, connection } = this;
    // The first answer counts; what went wrong behind it is told here.
    if (call.state === "answered" && call.cancelled === undefined) connection.reportError(error, call.method);
    else this.fail(error);
  }

  // Where a responder is used later, after the handler failed, the first answer counts.
  succeed(result: unknown): void {
    this.call.succeed(result);
  }
  fail(error: unknown): void {
    const { call } = this;
    if (call.isOver) return;
    const forPeer = error instanceof RpcError || error instanceof CancelledError;
    if (!forPeer && call.cancelled === undefined) this.connection.reportError(error, call.method);
    if (call.cancelled !== undefined && !(error instanceof RpcError)) call.fail(call.cancelled);
    else call.fail(error instanceof Error ? error : new Error(String(error), { cause: error }));
  }

  /** It will not be answered any more by whoever has its responder. */
  override abandon(): void {
    this.call.fail(
      this.call.cancelled ?? new RpcError(ErrorCode.internal, "the connection ended before an answer"),
    );
  }

  keep(): void {
    this.#responder = "kept";
  }

  get signal(): AbortSignal {
    if (this.#abort !== undefined) return this.#abort.signal;
    const abort = new AbortController();
    this.#abort = abort;
    const { cancelled } = this.call;
    if (cancelled === undefined) this.onCancel((reason) => abort.abort(reason));
    else abort.abort(cancelled);
    return abort.signal;
  }

  onCancel(listener: (reason: Error) => void): void {
    const { call } = this;
    const before = call.onCancel;
    call.onCancel = (reason): void => {
      before?.(reason);
      listener(reason);
    };
  }

  protected override over(): void {
    const { call, connection } = this;
    if (call.isOver || this.#responder === "kept") return;
    const cancelled = call.cancelled;
    if (cancelled !== undefined) return void call.fail(cancelled);
    const message = `the handler of ${call.method} has settled without an answer: use its responder, or keep() it to answer later`;
    connection.reportError(new Error(message), call.method);
    call.fail(new RpcError(ErrorCode.internal, "the request was not answered"));
  }
}

export class NotificationItem extends DispatchItem {
  readonly #message: NotificationMessage;
  readonly #done: () => void;

  constructor(connection: Connection, message: NotificationMessage, done: () => void, size: number) {
    super(connection, size);
    this.#message = message;
    this.#done = done;
  }

  get label(): string {
    return this.#message.method;
  }

  run(): Promise<void> | undefined {
    const { method, params } = this.#message;
    const running = this.runChain({ kind: "notification", method, params });
    if (running !== undefined) return running.then(this.#done);
    this.#done();
    return undefined;
  }

  /** It will not be run any more. */
  override abandon(): void {
    this.#done();
  }

  unclaimed(): void {}

  failed(error: unknown): void {
    this.connection.reportError(error, this.label);
  }
}

export class ResponseItem extends DispatchItem {
  readonly #pending: PendingRequest;
  readonly #outcome: Outcome;
  readonly #from: "peer" | "us";
  #router: ResponseRouter | undefined;

  /** `from`: whether the peer answered, or the request failed here, which handlers are not shown. */
  constructor(connection: Connection, pending: PendingRequest, outcome: Outcome, from: "peer" | "us") {
    super(connection, 0, pending.origin);
    this.#pending = pending;
    this.#outcome = outcome;
    this.#from = from;
  }

  get label(): string {
    return `answer to ${this.#pending.method}`;
  }

  run(): Promise<void> | undefined {
    const pending = this.#pending;
    pending.enter(this);
    const running = this.#run();
    if (running !== undefined) return running.then(() => this.#taken());
    return this.#taken();
  }

  /** It has come, whatever becomes of the connection. */
  override abandon(): void {
    this.#pending.deliver(this.#outcome);
  }

  unclaimed(): void {
    if (this.#router?.state !== "used") this.#pending.deliver(this.#outcome);
  }

  failed(error: unknown): void {
    const reason = error instanceof Error ? error : new Error(String(error), { cause: error });
    this.#pending.deliver({ ok: false, error: reason });
  }

  #run(): Promise<void> | undefined {
    const pending = this.#pending;
    const { method } = pending;
    if (this.#from === "us" || !this.connection.chain.seesResponses) {
      pending.deliver(this.#outcome);
      return undefined;
    }
    const router = new ResponseRouter(pending);
    this.#router = router;
    return this.runChain({ kind: "response", method, outcome: this.#outcome, router });
  }

  // O3: an ordered consumer holds up what follows; O5: one that awaits it continues in the next macrotask.
  #taken(): Promise<void> | undefined {
    const pending = this.#pending;
    pending.leave();
    const taking = pending.taken();
    if (taking !== undefined) return taking;
    return pending.isAwaited && this.connection.queue.length > 0 ? continuation() : undefined;
  }

  protected override over(): void {
    const pending = this.#pending;
    if (pending.state === "delivered") return this.connection.settled(pending);
    if (this.#router?.state === "kept") return; // it has been dealt with once that is used
    const message = `the answer to ${pending.method} was claimed by a handler and never routed`;
    pending.deliver({ ok: false, error: new RpcError(ErrorCode.internal, message) });
  }
}

/** Something of the connection's own that takes its turn. */
export class ErrandItem extends Item {
  readonly label: string;
  readonly #work: () => Promise<void> | undefined;
  readonly #leftBehind: (() => void) | undefined;

  constructor(
    connection: Connection,
    label: string,
    work: () => Promise<void> | undefined,
    leftBehind?: () => void,
  ) {
    super(connection.queue, 0);
    this.label = label;
    this.#work = work;
    this.#leftBehind = leftBehind;
  }

  run(): Promise<void> | undefined {
    return this.#work();
  }

  override leftBehind(): void {
    this.#leftBehind?.();
  }
}
