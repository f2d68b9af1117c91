import { Headers, Lines, type Dialect } from "@sluice/codec";
import type { CoreOptions, Encoding, Fault, Limits, Observer, SessionError } from "@sluice/core";
import type { Half, Role } from "@sluice/streams";
import type { Transport } from "@sluice/transport";
import { HandlerChain, type ChainHandler } from "./chain.ts";
import { Driver, type Dispatcher } from "./driver.ts";
import { Handlers, type Handler, type Interceptor, type NotificationHandler } from "./handlers.ts";
import type { LeakOptions } from "./leaks.ts";
import type { Lifter } from "./lift.ts";
import { withSafeListeners } from "./listeners.ts";
import { SessionReadable } from "./readable.ts";
import { PlainSession, type Session } from "./session.ts";
import { SessionWritable } from "./writable.ts";

export interface SessionOptions extends LeakOptions {
  /** By method: what answers the peer's calls. */
  readonly handlers?: Readonly<Record<string, Handler>>;
  /** By method: what the peer's notifications run. */
  readonly notifications?: Readonly<Record<string, NotificationHandler>>;
  /** Handlers that look at a message and claim it or pass it on; asked where `handlers` has no entry. */
  readonly chain?: readonly ChainHandler[];
  /** Answers calls of methods that nobody else has; `context.method` says which. Default: -32601. */
  readonly fallback?: Handler;
  readonly fallbackNotification?: NotificationHandler;
  /** One function around each call of the peer's, the first outermost. */
  readonly interceptIncoming?: readonly Interceptor[];
  /** One function around each call of ours, the first outermost. */
  readonly interceptOutgoing?: readonly Interceptor[];
  /**
   * Handlers start in the order of their messages and run concurrently, up to `limits.calls`. `serial`: one at a time.
   * A function names a lane: those of one lane run one at a time, the others beside them.
   */
  readonly order?:
    | "concurrent"
    | "serial"
    | ((message: { method: string; params: unknown }) => string | undefined);
  /** How the peer spells JSON-RPC. Default `jsonrpc`, which greets. */
  readonly dialect?: Dialect;
  /** On a byte transport: one message per line, or LSP's Content-Length headers. Default `lines`. */
  readonly framing?: "lines" | "headers";
  readonly limits?: Partial<Limits>;
  /** What is offered in the greeting, best first. Default frames, then JSON. */
  readonly encodings?: readonly Encoding[];
  /** Sent in the greeting. */
  readonly name?: string;
  readonly capabilities?: Readonly<Record<string, unknown>>;
  /** ms of silence after which the peer is asked for a sign of life. Default: never. */
  readonly keepAlive?: number;
  /** Closes the session when it aborts. */
  readonly signal?: AbortSignal;
  readonly observer?: Observer;
  /** Told of what the peer does wrong and the session survives. */
  readonly onFault?: (fault: Fault) => void;
  /** Told that the peer drains: new calls should go elsewhere. */
  readonly onDraining?: (reason: string) => void;
  /**
   * Told what a handler threw that is no `RpcError` (the peer only learns that something did), what a finalizer threw,
   * and what a listener of these options threw, by its name. Default: console.error.
   */
  readonly onHandlerError?: (error: unknown, method: string) => void;
}

/**
 * Opens a session as the one who greets. Settles once the greeting is over.
 * @throws SessionError where the transport fails, or the peer does not greet within `limits.greeting`.
 */
export function connect(transport: Transport, options: SessionOptions = {}): Promise<Session> {
  return open("initiator", transport, options);
}

/** Opens a session as the one who is greeted. Settles, and throws, as `connect` does. */
export function serve(transport: Transport, options: SessionOptions = {}): Promise<Session> {
  return open("acceptor", transport, options);
}

async function open(role: Role, transport: Transport, options: SessionOptions): Promise<Session> {
  const { session, driver } = build(role, transport, options);
  await driver.opened;
  return session;
}

/** What the two doors have in common. Another door brings its own dispatcher, lifter and receiver. */
export interface Door {
  dispatcher?(session: PlainSession, driver: Driver): Dispatcher;
  readonly lifter?: Lifter;
  /** Whether it wants to see cancels as the notifications they are. */
  readonly passesCancels?: boolean;
  /** Runs all that a chunk from the transport sets off. */
  enter?(work: () => void): void;
}

/** A session and what drives it. */
export interface Built {
  readonly session: PlainSession;
  readonly driver: Driver;
}

/** Builds a session and starts its transport; `driver.opened` tells when the greeting is over. */
export function build(role: Role, transport: Transport, given: SessionOptions, door: Door = {}): Built {
  const options = withSafeListeners(given);
  const receive = receiver(options);
  const chain = new HandlerChain(options.chain);
  const handlers = new Handlers(
    {
      handlers: new Map(Object.entries(options.handlers ?? {})),
      notifications: new Map(Object.entries(options.notifications ?? {})),
      fallback: options.fallback,
      fallbackNotification: options.fallbackNotification,
      intercept: options.interceptIncoming ?? [],
      chain,
      onHandlerError: options.onHandlerError,
      receive,
    },
    () => session,
  );
  const driver = new Driver({
    core: { ...coreOptions(role, options), passesCancels: door.passesCancels ?? false },
    transport,
    lifter: door.lifter,
    enter: door.enter?.bind(door),
    receive,
    onFault: options.onFault,
    onDraining: options.onDraining,
    onFinalizerError: options.onHandlerError,
  });
  const session: PlainSession = new PlainSession(driver, chain, options.interceptOutgoing ?? [], receive);
  driver.start(door.dispatcher?.(session, driver) ?? handlers);
  closeOnAbort(options.signal, session);
  return { session, driver };
}

/** The half as a web stream, watched for leaks. */
export function receiver(options: LeakOptions): (half: Half) => unknown {
  return (half) =>
    half.kind === "send" ? new SessionWritable(half, options) : new SessionReadable(half, options);
}

function coreOptions(role: Role, options: SessionOptions): Omit<CoreOptions, "unit"> {
  const { dialect, limits, encodings, name, capabilities, keepAlive, observer, order, framing } = options;
  const core: CoreOptions = {
    role,
    unit: "bytes",
    framing: (all) => (framing === "headers" ? new Headers(all) : new Lines(all)),
  };
  return {
    ...core,
    ...(dialect && { dialect }),
    ...(limits && { limits }),
    ...(encodings && { encodings }),
    ...(name !== undefined && { name }),
    ...(capabilities && { capabilities }),
    ...(keepAlive !== undefined && { keepAlive }),
    ...(observer && { observer }),
    ...(order === "serial" && { laneOf: () => "" }),
    ...(typeof order === "function" && { laneOf: order }),
  };
}

function closeOnAbort(signal: AbortSignal | undefined, session: Session): void {
  if (signal === undefined) return;
  const abort = (): void => void session.close("its signal aborted");
  if (signal.aborted) return abort();
  signal.addEventListener("abort", abort, { once: true });
  void session.closed.then((_: SessionError) => signal.removeEventListener("abort", abort));
}
