// The plain door: promises, AbortSignal, AsyncDisposable, web streams and async iterables.
import type { CallOptions as CoreCallOptions, Hello, SessionError, Stats } from "@sluice/core";
import type { Half } from "@sluice/streams";
import type { ChainHandler, HandlerChain } from "./chain.ts";
import type { Driver } from "./driver.ts";
import type { Interceptor } from "./handlers.ts";
import type { Lifetime } from "./lifetime.ts";
import { SentRequest } from "./sent-request.ts";
import { cancelled, SignalledCall } from "./signalled-call.ts";

export interface CallOptions {
  /** Gives the call up when it aborts, and afterwards lets go of the streams in its result, as a fetch's signal does. */
  readonly signal?: AbortSignal;
  /** ms until the call is given up with a `TimeoutError`. A peer that greeted gives up by itself too (C5). */
  readonly timeout?: number;
  /** W3C trace context, sent beside the params (C5). */
  readonly traceparent?: string;
  readonly tracestate?: string;
}

/** One conversation: calls both ways, streams in their params and results, and a life that ends once. */
export interface Session extends AsyncDisposable {
  /**
   * Calls the peer. Streams may stand anywhere in params and in the result.
   *
   * Rejects with `RpcError` (the peer's answer), `CancelledError`, `TimeoutError`, `RefusedError` (nothing was sent) or
   * `SessionError`; each says by `mayHaveRun` whether the call may have run. Given up early, the peer is told once, and
   * the streams of its params are reset.
   */
  call<R = unknown>(method: string, params?: unknown, options?: CallOptions): Promise<R>;
  /** Calls the peer and leaves open how the answer is waited for: by its result, by passing it on, or not at all. */
  request<R = unknown>(method: string, params?: unknown, options?: CallOptions): SentRequest<R>;
  /**
   * Notifies the peer. Settles once there is room for more: at once, unless `limits.highWater` bytes wait to be sent. Streams
   * are not allowed here (S3).
   */
  notify(method: string, params?: unknown): Promise<void>;
  /** Adds a handler behind those there are, until disposed of. */
  use(handler: ChainHandler): Disposable;
  /** Runs `finalizer` when the session ends, before the transport is released; the last added first. */
  defer(finalizer: () => void | PromiseLike<void>): void;
  /** The peer's hello; undefined where the peer is plain JSON-RPC, and there are no streams. */
  readonly peer: Hello | undefined;
  /** Why it is over; undefined while it is not. */
  readonly error: SessionError | undefined;
  /** Settles, and never rejects, once the session is over and the transport released. */
  readonly closed: Promise<SessionError>;
  /**
   * Lets what runs finish and takes nothing new; then closes. Settles once it is over. At `limits.drain` it is over
   * whatever still runs.
   */
  drain(reason?: string): Promise<void>;
  /** Ends it now: what waits fails, what was accepted for sending is flushed. Settles once the transport is released. */
  close(reason?: string): Promise<void>;
  /** What it holds: all zero once everything in it is over. */
  stats(): Stats;
}

export class PlainSession implements Session {
  readonly #driver: Driver;
  readonly #chain: HandlerChain;
  readonly #intercept: readonly Interceptor[];
  readonly #receive: (half: Half) => unknown;

  constructor(
    driver: Driver,
    chain: HandlerChain,
    intercept: readonly Interceptor[],
    receive: (half: Half) => unknown,
  ) {
    this.#driver = driver;
    this.#chain = chain;
    this.#intercept = intercept;
    this.#receive = receive;
  }

  get peer(): Hello | undefined {
    return this.#driver.core.peer;
  }
  get error(): SessionError | undefined {
    return this.#driver.core.error;
  }
  get closed(): Promise<SessionError> {
    return this.#driver.closed;
  }

  get lifetime(): Lifetime {
    return this.#driver.lifetime;
  }

  call<R = unknown>(method: string, params?: unknown, options?: CallOptions): Promise<R> {
    if (this.#intercept.length > 0) return this.#intercepted(method, params, options) as Promise<R>;
    return this.#call(method, params, options) as Promise<R>;
  }

  request<R = unknown>(method: string, params?: unknown, options: CallOptions = {}): SentRequest<R> {
    const abort = new AbortController();
    const { signal } = options;
    const either = signal === undefined ? abort.signal : AbortSignal.any([signal, abort.signal]);
    const result = this.call<R>(method, params, { ...options, signal: either });
    return new SentRequest<R>(method, result, (reason) => abort.abort(reason));
  }

  async notify(method: string, params?: unknown): Promise<void> {
    await this.#driver.notify(method, params);
  }

  use(handler: ChainHandler): Disposable {
    return this.#chain.add(handler);
  }

  defer(finalizer: () => void | PromiseLike<void>): void {
    this.#driver.lifetime.defer(finalizer);
  }

  async drain(reason: string = "draining"): Promise<void> {
    this.#driver.core.drain(reason, this.#driver.now);
    await this.closed;
  }

  async close(reason: string = "closed"): Promise<void> {
    this.#driver.core.close(reason);
    await this.closed;
  }

  stats(): Stats {
    return this.#driver.core.stats();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #call(method: string, params: unknown, options: CallOptions | undefined): Promise<unknown> {
    const driver = this.#driver;
    if (options === undefined)
      return new Promise((resolve, reject) =>
        driver.send(method, params, { result: resolve, error: reject }),
      );
    const { signal } = options;
    if (signal?.aborted === true) return Promise.reject(cancelled(signal));
    return new Promise((resolve, reject) => {
      const coreOptions = toCore(options, driver.now);
      if (signal === undefined) {
        driver.send(method, params, { result: resolve, error: reject }, coreOptions);
        return;
      }
      const waiter = new SignalledCall(signal, this.#receive, resolve, reject);
      waiter.watch(driver.send(method, params, waiter, coreOptions), (call, error) =>
        driver.core.cancel(call, error),
      );
    });
  }

  #intercepted(method: string, params: unknown, options: CallOptions | undefined): Promise<unknown> {
    const at = (i: number, now: unknown): Promise<unknown> => {
      const interceptor = this.#intercept[i];
      if (interceptor === undefined) return this.#call(method, now, options);
      return interceptor({ method, params: now }, (next = now) => at(i + 1, next));
    };
    return at(0, params);
  }
}

/** What the core needs to know of a call's options, at this time. @throws RangeError */
export function toCore({ timeout, traceparent, tracestate }: CallOptions, now: number): CoreCallOptions {
  if (timeout !== undefined && !(timeout > 0))
    throw new RangeError(`timeout must be above 0 ms, not ${timeout}`);
  const extras = {
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(tracestate === undefined ? {} : { tracestate }),
  };
  return {
    ...(timeout === undefined ? {} : { timeout, now }),
    ...(Object.keys(extras).length === 0 ? {} : { extras }),
  };
}
