// The door: promises, AbortSignal, AsyncDisposable, web streams and async iterables.
import { RefusedError, type Fault, type SessionError } from "@sluice/core";
import type { Transport } from "@sluice/transport";
import { cancelled, type PendingCall, type Waiter } from "./calls.ts";
import { bytesOf, over, pump, room, type Chunks } from "./chunks.ts";
import { Driver } from "./driver.ts";
import { forPeer } from "./error.ts";
import { ItemStream } from "./item-stream.ts";
import type { Machine } from "./machine.ts";
import { methodId } from "./method-id.ts";
import type { MachineOptions } from "./options.ts";
import type { ReadPolicy } from "./reader.ts";
import { Runner, type Dispatcher } from "./runner.ts";
import { sumUp, type Stats } from "./stats.ts";
import { Tunnel } from "./tunnel.ts";
import type { Writer } from "./writer.ts";

export interface RpcSessionOptions extends Omit<MachineOptions, "unit" | "allocate" | "role"> {
  /** Whose channels are odd: `initiator`, or even: `acceptor`. The peer must be the other one. Default `initiator`. */
  readonly role?: MachineOptions["role"];
  /** Answers the peer's requests; may be set later, but what comes before is answered Unimplemented. */
  readonly dispatcher?: Dispatcher;
  /** Closes the session when it aborts. */
  readonly signal?: AbortSignal;
  /** Told of what the peer does wrong and the session survives. */
  readonly onFault?: (fault: Fault) => void;
  /** Told what a dispatcher threw that is no `RapaceError`. Default: console.error. */
  readonly onHandlerError?: (error: unknown, method: number) => void;
}

export interface CallOptions {
  /** Gives the call up when it aborts. The peer is told; a published one does not listen. */
  readonly signal?: AbortSignal;
  /** ms until the call is given up with a `TimeoutError`. Default `limits.call`, 30 s. */
  readonly timeout?: number;
  /** Sent behind the request, chunk by chunk. What is not sent when the answer comes is not wanted any more. */
  readonly body?: Chunks;
}

export type StreamingCallOptions = Omit<CallOptions, "timeout"> & ReadPolicy;

/** One conversation with a peer that speaks rapace: calls and tunnels both ways, and a life that ends once. */
export class RpcSession implements AsyncDisposable {
  readonly #driver: Driver;
  readonly #machine: Machine;
  readonly #runner: Runner;

  /**
   * Opens a session at once: there is no greeting.
   * @throws TypeError for a transport that carries text only, RangeError for a limit or channel out of range
   */
  constructor(transport: Transport, options: RpcSessionOptions = {}) {
    const {
      onFault = (): void => {},
      onHandlerError = report,
      dispatcher,
      signal,
      role = "initiator",
    } = options;
    const dialect = options.dialect ?? "0.5";
    const largest = (): number => this.#machine.limits.frame;
    this.#runner = new Runner(
      { session: () => this, dialect, largest, onHandlerError: safely(onHandlerError) },
      dispatcher,
    );
    this.#driver = new Driver(transport, {
      ...options,
      role,
      onFault: safely(onFault),
      run: this.#runner.run,
    });
    this.#machine = this.#driver.machine;
    this.#driver.start();
    if (signal !== undefined) this.#closeOnAbort(signal);
  }

  /** Why it is over; undefined while it is not. */
  get error(): SessionError | undefined {
    return this.#machine.error;
  }
  /** Settles, and never rejects, once the session is over and the transport released. */
  get closed(): Promise<SessionError> {
    return this.#driver.closed;
  }

  /**
   * Calls the peer: a method by its name, `Service.method`, or its number. The payload is the session's from then on.
   *
   * Rejects with `RapaceError` (the peer's answer), `CancelledError`, `TimeoutError`, `RefusedError` (nothing was sent)
   * or `SessionError`; each says by `mayHaveRun` whether the call may have run.
   */
  call(
    method: string | number,
    payload: Uint8Array = NOTHING,
    options: CallOptions = {},
  ): Promise<Uint8Array> {
    const { signal, timeout, body } = options;
    if (timeout !== undefined && !(timeout > 0))
      return Promise.reject(new RangeError(`timeout must be above 0 ms, not ${timeout}`));
    if (signal?.aborted === true) return Promise.reject(cancelled(signal));
    return new Promise((result, error) => {
      const parameters = { timeout, now: this.#driver.now, body: body !== undefined };
      if (signal === undefined) {
        const call = this.#driver.call(numberOf(method), payload, { result, error }, parameters);
        if (call !== undefined && body !== undefined) this.#send(body, call.channel);
        return;
      }
      const waiter = new Signalled(signal, { result, error });
      const call = this.#driver.call(numberOf(method), payload, waiter, parameters);
      if (call === undefined) return;
      waiter.watch(() => this.#machine.calls.giveUp(call, cancelled(signal)), call);
      if (body !== undefined) this.#send(body, call.channel);
    });
  }

  /**
   * Calls a method that answers by a stream of items.
   * @throws RefusedError or SessionError, where nothing was sent
   */
  startStreamingCall(
    method: string | number,
    payload: Uint8Array = NOTHING,
    options: StreamingCallOptions = {},
  ): ItemStream {
    const { signal, body } = options;
    if (signal?.aborted === true) throw cancelled(signal);
    const reader = this.#machine.stream(numberOf(method), payload, options, body !== undefined);
    if (body !== undefined) this.#send(body, reader.channel);
    if (signal === undefined) return new ItemStream(reader);
    let why: Error | undefined;
    const abort = (): void => {
      if (!reader.isOver) why = cancelled(signal);
      reader.stop();
    };
    signal.addEventListener("abort", abort, { once: true });
    return new ItemStream(reader, () => {
      signal.removeEventListener("abort", abort);
      return why;
    });
  }

  /** Tells the peer something that it does not answer. Settles once it has been handed to the transport. */
  async notify(method: string | number, payload: Uint8Array = NOTHING): Promise<void> {
    this.#machine.notify(numberOf(method), payload);
    await this.#driver.handedOver();
  }

  /** What answers the peer's requests from now on; undefined: nothing, they are Unimplemented. */
  setDispatcher(dispatcher: Dispatcher | undefined): void {
    this.#runner.dispatcher = dispatcher;
  }

  /** A channel of ours, for a tunnel that will be registered. What the peer sends on it before that waits. */
  nextChannelId(): number {
    return this.#machine.nextChannel();
  }

  /** A tunnel on a new channel of ours. @throws as `registerTunnel` */
  openTunnel(policy: ReadPolicy = {}): Tunnel {
    return this.registerTunnel(this.nextChannelId(), policy);
  }

  /**
   * A tunnel on a channel: of ours, from `nextChannelId`, or one that the peer has named. What has come for it before is
   * read first.
   * @throws RefusedError where the channel is in use or over, whose tunnel is undisturbed; SessionError after the end
   */
  registerTunnel(channel: number, policy: ReadPolicy = {}): Tunnel {
    const { reader, writer } = this.#machine.register(channel, policy);
    return new Tunnel(reader, writer);
  }

  /**
   * Sends a chunk on a tunnel, whose memory is the session's from then on. Settles once there is room for another.
   * @throws RefusedError where no tunnel is registered, or its direction is over
   */
  async sendChunk(channel: number, chunk: Uint8Array): Promise<void> {
    const writer = this.#writer(channel);
    if (!writer.write(bytesOf(chunk))) await room(writer);
  }

  /** Ends our direction of a tunnel; the peer's stays open. Settles once the end has been handed over. */
  async closeTunnel(channel: number): Promise<void> {
    const writer = this.#writer(channel);
    writer.end();
    await over(writer);
  }

  /** Drops what the peer still sends on a tunnel. Our direction is not touched: see `closeTunnel`. */
  unregisterTunnel(channel: number): void {
    this.#machine.tunnels.reader(channel)?.stop();
  }

  /** Ends it now: what waits fails, the peer's calls are answered SessionClosed. Settles once the transport is released. */
  async close(reason: string = "closed"): Promise<void> {
    this.#machine.close(reason);
    await this.closed;
  }

  /** What it holds: all zero once everything in it is over. */
  stats(): Stats {
    return sumUp(this.#machine);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #writer(channel: number): Writer {
    const writer = this.#machine.tunnels.writer(channel);
    if (writer !== undefined && writer.state === "open") return writer;
    if (this.error !== undefined) throw this.error;
    throw new RefusedError(
      "R11",
      `no tunnel on channel ${channel} can be written: register it, and do not end it`,
    );
  }

  #send(body: Chunks, channel: number): void {
    const writer = this.#machine.body(channel);
    pump(body, writer, this.#machine.limits.frame).catch((error: unknown) =>
      writer.reset(error instanceof Error ? error : new Error(String(error)), forPeer(error)),
    );
  }

  #closeOnAbort(signal: AbortSignal): void {
    const abort = (): void => void this.close("its signal aborted");
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    void this.closed.then(() => signal.removeEventListener("abort", abort));
  }
}

/** A call that is given up when its signal aborts. */
class Signalled implements Waiter {
  readonly #signal: AbortSignal;
  readonly #waiter: Waiter;
  #onAbort: (() => void) | undefined;

  constructor(signal: AbortSignal, waiter: Waiter) {
    this.#signal = signal;
    this.#waiter = waiter;
  }

  watch(abort: () => void, call: PendingCall): void {
    if (call.state !== "waiting") return;
    this.#onAbort = abort;
    this.#signal.addEventListener("abort", abort, { once: true });
  }

  result(payload: Uint8Array): void {
    this.#unlisten();
    this.#waiter.result(payload);
  }
  error(error: Error): void {
    this.#unlisten();
    this.#waiter.error(error);
  }

  #unlisten(): void {
    if (this.#onAbort !== undefined) this.#signal.removeEventListener("abort", this.#onAbort);
  }
}

const NOTHING = new Uint8Array(0);

const NUMBERS: Map<string, number> = new Map();
const MOST_NUMBERS = 1024;

/** Names come from programs, and few of them. */
function numberOf(method: string | number): number {
  if (typeof method === "number") return method;
  const known = NUMBERS.get(method);
  if (known !== undefined) return known;
  const id = methodId(method);
  if (NUMBERS.size < MOST_NUMBERS) NUMBERS.set(method, id);
  return id;
}

/** A listener that throws must not end what it listens to. */
function safely<A extends unknown[]>(listener: (...args: A) => void): (...args: A) => void {
  return (...args) => {
    try {
      listener(...args);
    } catch (error) {
      report(error);
    }
  };
}

function report(error: unknown): void {
  // oxlint-disable-next-line no-console -- an error nobody hears of is worse
  console.error(error);
}
