import { ErrorCode, type Id } from "@sluice/codec";
import { CancelledError, RpcError, type IncomingCall } from "@sluice/core";
import type { Connection } from "./connection.ts";
import { DispatchItem } from "./dispatch-item.ts";
import { Responder, type Answerable } from "./responder.ts";

/** A request of the peer's, and the right to answer it. */
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
