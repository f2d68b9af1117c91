// One running chain: its parts and the way of each message between them.
import { ErrorCode, RpcError } from "@sluice/session";
import {
  messageOf,
  request,
  type Builder,
  type ChainMessage,
  type Component,
  type ConnectionTo,
  type ConnectOptions,
  type Dispatch,
  type Outcome,
  type RequestDispatch,
  type Role,
} from "@sluice/session/builder";
import type { Transport } from "@sluice/transport";
import { Agent, Client, Conductor, Untyped } from "./roles.ts";
import {
  initializeMethod,
  initializeSpelling,
  isCancel,
  isSuccessor,
  successorSpelling,
  unwrap,
  wrap,
  type Spelling,
} from "./successor.ts";
import { answered, sent, type Trace, type TraceEvent } from "./trace.ts";

export type Part = Transport | Component;

export interface ChainOptions {
  /** Names the conductor in a trace. */
  readonly name: string;
  /** To the client, or to the conductor this is a proxy of. */
  readonly cx: ConnectionTo;
  readonly proxies: readonly Part[];
  /** Undefined where the chain is a proxy: the last of its proxies speaks to who is behind the conductor. */
  readonly agent: Part | undefined;
  readonly spelling: Spelling;
  readonly trace: Trace | undefined;
  readonly options: ConnectOptions;
  /** In the place of the client's. */
  readonly initialize: unknown;
}

/** Where a message may go. */
interface Place {
  readonly name: string;
  readonly cx: ConnectionTo;
  readonly peer: Role;
}

/** A part that runs, and how it is spoken to. */
interface Running extends Place {
  readonly kind: "proxy" | "agent";
  readonly connection: ReturnType<Builder["start"]>;
  spelling: Spelling;
  /** What became of our `proxy/initialize`: one that does not know it may pass it on, as it does with anything. */
  initialize: "taken" | "passed on";
}

type Message = Exclude<Dispatch, { kind: "response" }>;

export class Chain {
  readonly #options: ChainOptions;
  readonly #parts: readonly Running[];
  readonly #client: Place;
  /** Who is behind a chain that is a proxy. */
  readonly #successor: Place;
  #initialize: unknown;

  constructor(options: ChainOptions) {
    this.#options = options;
    this.#initialize = options.initialize;
    const { cx, proxies, agent } = options;
    this.#client = { name: "client", cx, peer: agent === undefined ? Client : cx.counterpart };
    this.#successor = { name: "successor", cx, peer: Agent };
    this.#parts = [
      ...proxies.map((part, i) => this.#start(part, "proxy", i)),
      ...(agent === undefined ? [] : [this.#start(agent, "agent", proxies.length)]),
    ];
    const end = (): void => void this.finish();
    if (cx.signal.aborted) end();
    else cx.signal.addEventListener("abort", end, { once: true });
  }

  /** What goes in the place of the client's `initialize`; the first time it is asked. */
  takeInitialize(): unknown {
    const initialize = this.#initialize;
    this.#initialize = undefined;
    return initialize;
  }

  /** What comes from the client; or, where this is a proxy, from either side. */
  fromClient(dispatch: Message): Promise<void> | undefined {
    if (!this.#isProxy) return this.#toNext(0, dispatch, "client");
    if (isSuccessor(messageOf(dispatch)))
      return this.#toPrevious(this.#parts.length, inside(dispatch), "successor");
    if (dispatch.method === "initialize") throw invalid("a proxy is initialized by proxy/initialize");
    if (initializeSpelling(dispatch.method) === undefined) return this.#toNext(0, dispatch, "client");
    return this.#toNext(0, { ...dispatch, method: "initialize" }, "client");
  }

  /** Settles once all parts can be spoken to. Rejects where a greeting failed. */
  async opened(): Promise<void> {
    await Promise.all(this.#parts.map(({ connection }) => connection.opened()));
  }

  /** Ends all parts. Settles once they are gone. */
  async finish(): Promise<void> {
    const ending = this.#parts.map(({ connection }) => connection.finish());
    await Promise.allSettled(ending); // what a part failed with has ended the chain, or comes too late to
  }

  get #isProxy(): boolean {
    return this.#options.agent === undefined;
  }

  #start(part: Part, kind: "proxy" | "agent", i: number): Running {
    const { cx, options, spelling } = this.#options;
    const role = kind === "proxy" ? Conductor : Untyped;
    const builder = role.builder().withHandler((dispatch) => this.#fromPart(i, dispatch));
    const name = kind === "proxy" ? `proxy ${i}` : "agent";
    const connection = builder.start(part, options);
    const its = connection.contextOf(undefined);
    cx.spawn(async () => {
      await connection.over();
      if (!cx.signal.aborted) throw new Error(`${name} has ended, and the chain with it`);
    });
    return { name, kind, connection, cx: its, peer: its.counterpart, spelling, initialize: "taken" };
  }

  #fromPart(i: number, dispatch: Dispatch): Promise<void> | undefined {
    const part = this.#parts[i]!;
    if (dispatch.kind === "response") return part.cx.sendProxiedMessageTo(Untyped, dispatch);
    if (part.kind === "agent" || !isSuccessor(messageOf(dispatch)))
      return this.#toPrevious(i, dispatch, part.name);
    part.spelling = successorSpelling(dispatch.method)!;
    const message = inside(dispatch);
    if (initializeSpelling(message.method) !== undefined) part.initialize = "passed on";
    return this.#toNext(i + 1, message, part.name);
  }

  /** To part `i`, from the side of the client. */
  #toNext(i: number, message: Message, from: string): Promise<void> | undefined {
    if (isCancelled(message)) return undefined;
    onlyOurs(message);
    const part = this.#parts[i];
    if (part === undefined) return this.#send(this.#successor, messageOf(message), message, from);
    if (part.kind === "proxy" && message.kind === "request" && message.method === "initialize")
      return this.#initializeProxy(part, message, from);
    return this.#send(part, messageOf(message), message, from);
  }

  /** To the part before `i`, from the side of the agent. */
  #toPrevious(i: number, message: Message, from: string): Promise<void> | undefined {
    if (isCancelled(message)) return undefined;
    onlyOurs(message);
    if (i === 0) return this.#send(this.#client, messageOf(message), message, from);
    const part = this.#parts[i - 1]!;
    return this.#send(part, wrap(messageOf(message), part.spelling), message, from);
  }

  // `wire` is what `message` is to whom it goes.
  #send(
    { name, cx, peer }: Place,
    { method, params }: ChainMessage,
    message: Message,
    from: string,
  ): Promise<void> | undefined {
    this.#tell(from, name, sent(message));
    return cx.sendProxiedMessageTo(peer, { ...this.#traced(message, from, name), method, params });
  }

  // A proxy that does not know our spelling of the extension may know the other.
  #initializeProxy(part: Running, message: RequestDispatch, from: string): undefined {
    this.#tell(from, part.name, sent(message));
    const { responder } = this.#traced(message, from, part.name);
    responder.keep();
    const ask = (spelling: Spelling, then: (outcome: Outcome) => void): void => {
      part.spelling = spelling;
      part.initialize = "taken";
      const sentRequest = part.cx.sendRequest(request(initializeMethod(spelling)), message.params);
      responder.onCancel(() => sentRequest.cancel());
      sentRequest.onReceivingResult(then);
    };
    const answer = (outcome: Outcome): void => {
      if (!responder.isSettled) responder.respondWithResult(outcome);
    };
    const first = part.spelling;
    ask(first, (outcome) => {
      if (outcome.ok || !isUnknown(outcome.error, part)) return answer(outcome);
      ask(first === "proxy" ? "_proxy" : "proxy", answer);
    });
    return undefined;
  }

  #traced<M extends Message>(message: M, from: string, to: string): M {
    const { trace } = this.#options;
    if (trace === undefined || message.kind !== "request") return message;
    const { responder, method } = message;
    return {
      ...message,
      responder: responder.tap((outcome) => this.#tell(to, from, answered(method, outcome))),
    };
  }

  #tell(from: string, to: string, event: Omit<TraceEvent, "at" | "conductor" | "from" | "to">): void {
    const { trace, name } = this.#options;
    trace?.({ at: Date.now(), conductor: name, from, to, ...event });
  }
}

/** The dispatch with what is in its envelope. */
function inside(dispatch: Message): Message {
  return { ...dispatch, ...unwrap(messageOf(dispatch)) };
}

/** A cancel goes one hop: the next is told by our own. */
function isCancelled(message: Message): boolean {
  return message.kind === "notification" && isCancel(messageOf(message));
}

/** What conductors alone may say would pass for the conductor's own. @throws RpcError -32600 */
function onlyOurs(message: Message): void {
  if (initializeSpelling(message.method) !== undefined || isSuccessor(messageOf(message)))
    throw invalid("the messages of the proxy extension go one hop: proxies and conductors alone send them");
}

function invalid(text: string): RpcError {
  return new RpcError(ErrorCode.invalidRequest, text);
}

function isUnknown(error: Error, part: Running): boolean {
  return part.initialize === "passed on" || (error as { code?: unknown }).code === ErrorCode.methodNotFound;
}
