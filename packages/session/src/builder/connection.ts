// A connection as a Builder describes it: a session whose messages, and the answers to its own requests, are run one at a
// time through a chain of handlers, beside tasks that end with it.
import { ErrorCode } from "@sluice/codec";
import {
  CancelledError,
  RpcError,
  type SessionError,
  type IncomingCall,
  type IncomingNotification,
} from "@sluice/core";
import type { Half } from "@sluice/streams";
import type { Transport } from "@sluice/transport";
import type { ChainMessage } from "../chain.ts";
import { build, receiver } from "../connect.ts";
import type { Dispatcher, Driver } from "../driver.ts";
import { withSafeListeners } from "../listeners.ts";
import { toCore, type CallOptions, type PlainSession } from "../session.ts";
import { join, type Component, type ConnectOptions } from "./component.ts";
import type { ConnectionTo } from "./connection-to.ts";
import { runIn, type Dispatching } from "./dispatching.ts";
import { DynamicHandlers } from "./dynamic-handlers.ts";
import { HandlerChain, type Link } from "./handler-chain.ts";
import { InputEnd, type Closer } from "./input-end.ts";
import type { Item } from "./item.ts";
import { isLocal, isOrderly, type Outcome } from "./outcome.ts";
import { PendingRequest, type Requester } from "./pending-request.ts";
import { Queue } from "./queue.ts";
import { sessionOf, type Mode } from "./session-of.ts";
import { NotificationItem } from "./notification-item.ts";
import { RequestItem } from "./request-item.ts";
import { ResponseItem } from "./response-item.ts";
import type { Role } from "./role.ts";
import { Tasks } from "./tasks.ts";

/** What a Builder has gathered. */
export interface Plan {
  readonly role: Role;
  readonly links: readonly Link[];
  readonly closers: readonly Closer[];
}

/** ms that a handler may hold the connection while another message waits. */
const HOLDING = 30_000;

export class Connection implements Dispatcher, Dispatching, Requester {
  readonly role: Role;
  readonly chain: HandlerChain;
  readonly queue: Queue;
  readonly handlers: DynamicHandlers;
  readonly tasks: Tasks;
  /** Settles with the reason once the session is over and its transport is released. */
  readonly ended: Promise<SessionError>;
  /** Rejects once it is known that the connection has failed. Never settles otherwise. */
  readonly broken: Promise<never>;
  readonly #session: PlainSession;
  #driver!: Driver;
  readonly #running: Promise<void> | undefined;
  readonly #onHandlerError: (error: unknown, method: string) => void;
  readonly #receive: (half: Half) => unknown;
  readonly #calls: number;
  // Requests that are being handled.
  #handled = 0;
  readonly #released = (): void => void this.#handled--;
  // Ours whose answer has come and waits for its turn, or for a handler that has taken it.
  readonly #answered: Set<PendingRequest> = new Set();
  readonly #abort: AbortController = new AbortController();
  #failure: { readonly error: unknown } | undefined;
  #break!: (error: unknown) => void;
  readonly #input: InputEnd;

  constructor(plan: Plan, target: Transport | Component, given: ConnectOptions, mode: Mode) {
    const options = withSafeListeners(given);
    const { side, options: session, limits } = sessionOf(plan.role, mode, options);
    this.#input = new InputEnd(this, plan.closers, limits.grace);
    this.role = plan.role;
    this.#calls = limits.calls;
    this.tasks = new Tasks(limits.pending, (error) => this.fail(error));
    this.#onHandlerError = options.onHandlerError;
    this.#receive = receiver(options);
    this.broken = new Promise((_resolve, reject) => {
      this.#break = reject;
    });
    this.broken.catch(() => {});
    const { handler, name } = plan.role.options;
    const last: Link[] = handler === undefined ? [] : [{ name, seesResponses: false, handle: handler }];
    this.chain = new HandlerChain(plan.links, last);
    this.queue = new Queue({
      waiting: limits.waiting,
      waitingBytes: limits.waitingBytes,
      holding: options.holding ?? HOLDING,
      pause: (paused) => this.#driver.pause(paused),
      enter: (work) => runIn(this, work),
      stalled: (error, label) => this.reportError(error, label),
    });
    this.handlers = new DynamicHandlers(this, limits);
    const { transport, running } = join(target);
    this.#running = running;
    running?.catch((error: unknown) => this.fail(error));
    this.#session = build(side, transport, session, {
      passesCancels: true,
      enter: (work) => runIn(this, work),
      dispatcher: (_session, driver) => {
        this.#driver = driver;
        return this;
      },
    }).session;
    this.#session.defer(() => this.#over());
    this.ended = this.#session.closed;
    void this.ended.then((error) => {
      if (!isOrderly(error)) this.#break(this.#failure?.error ?? error);
    });
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  contextOf(item: Item | undefined): ConnectionTo {
    return this.role.contextOf({ connection: this, item });
  }

  /** Settles once it can send. */
  async opened(): Promise<void> {
    await this.#driver.opened;
  }

  /** Settles once it is over, in order. Rejects with what went wrong. */
  async over(): Promise<void> {
    const error = await this.ended;
    await this.#running?.catch((failed: unknown) => {
      if (isOrderly(error)) this.#failure ??= { error: failed }; // its end may be heard of before its failure
    });
    if (this.#failure !== undefined) throw this.#failure.error;
    if (!isOrderly(error)) throw error;
  }

  /** Ends it: the peer is asked to abandon what is still pending, and told of what is not answered; all is flushed. */
  async finish(): Promise<void> {
    await this.#end("done");
    await this.over();
  }

  /** Keeps it from ending by itself after the peer's end of input, at most for `limits.grace`. */
  hold(): () => void {
    return this.#driver.core.holds.take();
  }

  // What arrives.

  call(call: IncomingCall): void {
    this.role.options.sees?.(call, this);
    this.queue.push(new RequestItem(this, call));
  }

  notification(notification: IncomingNotification): void {
    const { message } = notification;
    this.role.options.sees?.(message, this);
    const cancelled = this.role.options.cancelled?.(message);
    if (cancelled !== undefined) this.#driver.core.calls.cancel(cancelled);
    this.queue.push(new NotificationItem(this, notification));
  }

  answered(pending: PendingRequest, outcome: Outcome): void {
    const isTheirs = !isLocal(outcome);
    // Where nothing is run and nobody looks at answers, its turn is now.
    const isNext = this.queue.isIdle && !pending.isOrdered && !this.chain.seesResponses;
    if (isTheirs && isNext) return pending.deliver(outcome);
    this.#answered.add(pending);
    if (isTheirs) this.queue.push(new ResponseItem(this, pending, outcome, "peer"));
    else if (this.#input.state === "ending")
      this.#input.bring(new ResponseItem(this, pending, outcome, "us"));
    // What ends a request here, and now, waits for nothing: its deadline, its cancel, its refusal, the end of all.
    else pending.deliver(outcome);
  }

  /** What came of a request has been dealt with. */
  settled(pending: PendingRequest): void {
    this.#answered.delete(pending);
    this.handlers.review();
  }

  receive(half: Half): unknown {
    return this.#receive(half);
  }

  inputEnds(): () => void {
    return this.#input.begin(this.#driver.core);
  }

  // What handlers and tasks do.

  letGo(): void {
    this.queue.current?.letGo();
  }

  send(peer: Role, message: ChainMessage, item: Item | undefined, options?: CallOptions): PendingRequest {
    const pending = new PendingRequest(this, message.method, peer, item);
    const { method, params } = this.role.styleOf(peer).outgoing(message, this);
    const core = options === undefined ? undefined : toCore(options, this.#driver.now);
    const signal = options?.signal;
    if (signal?.aborted === true) {
      pending.error(new CancelledError("its signal had aborted", { cause: signal.reason }));
      return pending;
    }
    pending.call = this.#driver.send(method, params, pending, core);
    if (signal !== undefined) pending.watch(signal, () => this.giveUp(pending, signal.reason));
    return pending;
  }

  notify(peer: Role, message: ChainMessage): Promise<void> {
    const handedOver = this.#notify(peer, message);
    handedOver.catch(() => {}); // it need not be awaited
    return handedOver;
  }

  async #notify(peer: Role, message: ChainMessage): Promise<void> {
    const { method, params } = this.role.styleOf(peer).outgoing(message, this);
    await this.#driver.notify(method, params);
  }

  askToCancel(pending: PendingRequest): void {
    if (pending.call !== undefined && pending.state === "sent")
      this.#driver.core.calls.askToCancel(pending.call);
  }

  giveUp(pending: PendingRequest, cause?: unknown): void {
    if (pending.call === undefined || pending.state !== "sent") return;
    this.#driver.core.cancel(pending.call, new CancelledError("the request was given up", { cause }));
  }

  /** False where as many requests are handled as may be. */
  start(request: RequestItem): boolean {
    if (this.#handled >= this.#calls) return false;
    this.#handled++;
    request.call.onReleased = this.#released;
    return true;
  }

  /** The methods of the requests that wait for an answer, or whose answer waits for its turn. */
  get pending(): readonly string[] {
    return [...this.#driver.core.calls.ours(), ...this.#answered].map(({ method }) => method);
  }

  get isIncomingClosed(): boolean {
    return this.#input.state === "closed";
  }

  /** `own`: the item whose `ConnectionTo` asks. */
  incomingClosed(own: Item | undefined): Promise<void> {
    return this.#input.closed(own);
  }

  /** Ends the connection with this error; the first counts. */
  fail(error: unknown): void {
    if (this.#failure !== undefined || this.#driver.core.error !== undefined) return;
    this.failed(error);
    void this.#end("failed");
  }

  /** What it ends with; the first counts. */
  failed(error: unknown): void {
    this.#failure ??= { error };
    this.#break(this.#failure.error);
  }

  reportError(error: unknown, method: string): void {
    this.#onHandlerError(error, method);
  }

  // What onClose functions do is not cut short.
  async #end(reason: string): Promise<void> {
    while (this.#input.state === "closing" && this.#driver.core.error === undefined)
      await Promise.race([this.#input.whenClosed(), this.ended]);
    this.letGoOfAll();
    await this.#session.close(reason);
  }

  /** Nobody waits, or is waited for, any more. */
  letGoOfAll(): void {
    const { core } = this.#driver;
    for (const call of core.calls.ours()) core.calls.askToCancel(call);
    this.handlers.clear();
    const over = new RpcError(ErrorCode.internal, "the connection ended before an answer");
    for (const call of core.calls.theirs()) call.fail(call.cancelled ?? over);
  }

  // The session has ended.
  #over(): void {
    const { error } = this.#driver.core;
    for (const item of this.queue.close()) item.abandon();
    this.handlers.clear();
    this.#input.over();
    // Answers that a handler took and kept.
    for (const pending of this.#answered) pending.deliver({ ok: false, error: error! });
    this.#abort.abort(error);
  }
}
