// One running chain: its parts and the way of each message between them.
import { ErrorCode, RpcError } from "@sluice/session";
import {
  messageOf,
  request,
  type ChainMessage,
  type Component,
  type ConnectionTo,
  type ConnectOptions,
  type Dispatch,
  type Outcome,
  type RequestDispatch,
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

/** A part that runs, and how it is spoken to. */
interface Running {
  readonly name: string;
  readonly kind: "proxy" | "agent";
  readonly cx: ConnectionTo;
  spelling: Spelling;
}

type Message = Exclude<Dispatch, { kind: "response" }>;

export class Chain {
  readonly #options: ChainOptions;
  readonly #parts: readonly Running[];
  #initialize: unknown;

  constructor(options: ChainOptions) {
    this.#options = options;
    this.#initialize = options.initialize;
    const { proxies, agent } = options;
    this.#parts = [
      ...proxies.map((part, i) => this.#start(part, "proxy", i)),
      ...(agent === undefined ? [] : [this.#start(agent, "agent", proxies.length)]),
    ];
  }

  /** What goes in the place of the client's `initialize`; the first time it is asked. */
  takeInitialize(): unknown {
    const initialize = this.#initialize;
    this.#initialize = undefined;
    return initialize;
  }

  /** What comes from the client; or, where this is a proxy, from either side. */
  fromClient(dispatch: Dispatch, _cx: ConnectionTo): Promise<void> | undefined {
    if (dispatch.kind === "response") return undefined;
    if (this.#isProxy && isSuccessor(messageOf(dispatch))) {
      const inner = inside(dispatch);
      return this.#toPrevious(this.#parts.length, inner, "successor");
    }
    const spelling = initializeSpelling(dispatch.method);
    const message = spelling === undefined ? dispatch : { ...dispatch, method: "initialize" };
    return this.#toNext(0, message, "client");
  }

  get #isProxy(): boolean {
    return this.#options.agent === undefined;
  }

  #start(part: Part, kind: "proxy" | "agent", i: number): Running {
    const { cx, options, spelling } = this.#options;
    const role = kind === "proxy" ? Conductor : Untyped;
    const builder = role.builder().withHandler((dispatch) => this.#fromPart(i, dispatch));
    const name = kind === "proxy" ? `proxy ${i}` : "agent";
    return { name, kind, spelling, cx: cx.spawnConnection(builder, part, options) };
  }

  #fromPart(i: number, dispatch: Dispatch): Promise<void> | undefined {
    const { kind, name } = this.#parts[i]!;
    if (dispatch.kind === "response") return this.#parts[i]!.cx.sendProxiedMessageTo(Untyped, dispatch);
    if (kind === "proxy" && isSuccessor(messageOf(dispatch))) {
      this.#parts[i]!.spelling = successorSpelling(dispatch.method)!;
      return this.#toNext(i + 1, inside(dispatch), name);
    }
    if (initializeSpelling(dispatch.method) !== undefined)
      throw new RpcError(ErrorCode.invalidRequest, "proxy/initialize is sent by conductors alone");
    return this.#toPrevious(i, dispatch, name);
  }

  /** To part `i`, from the side of the client. */
  #toNext(i: number, message: Message, from: string): Promise<void> | undefined {
    const part = this.#parts[i];
    if (part === undefined) return this.#toSuccessor(message, from);
    this.#tell(from, part.name, sent(message));
    if (part.kind === "proxy" && message.kind === "request" && message.method === "initialize")
      return this.#initializeProxy(part, message, from);
    return this.#pass(part.cx, messageOf(message), message, from, part.name);
  }

  /** To the part before `i`, from the side of the agent. */
  #toPrevious(i: number, message: Message, from: string): Promise<void> | undefined {
    const { cx } = this.#options;
    if (i === 0) {
      this.#tell(from, "client", sent(message));
      return this.#passTo(
        cx,
        this.#isProxy ? Client : undefined,
        messageOf(message),
        message,
        from,
        "client",
      );
    }
    const part = this.#parts[i - 1]!;
    this.#tell(from, part.name, sent(message));
    return this.#pass(part.cx, wrap(messageOf(message), part.spelling), message, from, part.name);
  }

  /** Behind the last part of a chain that is a proxy. */
  #toSuccessor(message: Message, from: string): Promise<void> | undefined {
    this.#tell(from, "successor", sent(message));
    return this.#passTo(this.#options.cx, Agent, messageOf(message), message, from, "successor");
  }

  #pass(
    cx: ConnectionTo,
    wire: ChainMessage,
    message: Message,
    from: string,
    to: string,
  ): Promise<void> | undefined {
    return this.#passTo(cx, undefined, wire, message, from, to);
  }

  #passTo(
    cx: ConnectionTo,
    peer: typeof Agent | undefined,
    wire: ChainMessage,
    message: Message,
    from: string,
    to: string,
  ): Promise<void> | undefined {
    if (message.kind === "notification" && isCancel(wire)) return undefined;
    const { method, params } = wire;
    const dispatch = { ...this.#traced(message, from, to), method, params };
    return cx.sendProxiedMessageTo((peer as typeof Agent) ?? cx.counterpart, dispatch);
  }

  // A proxy that does not know our spelling of the extension may know the other.
  #initializeProxy(part: Running, message: RequestDispatch, from: string): undefined {
    const { responder } = this.#traced(message, from, part.name);
    responder.keep();
    const ask = (spelling: Spelling, then: (outcome: Outcome) => void): void => {
      part.spelling = spelling;
      const sentRequest = part.cx.sendRequest(request(initializeMethod(spelling)), message.params);
      responder.onCancel(() => sentRequest.cancel());
      sentRequest.onReceivingResult(then);
    };
    const answer = (outcome: Outcome): void => {
      if (!responder.isSettled) responder.respondWithResult(outcome);
    };
    const first = part.spelling;
    const other: Spelling = first === "proxy" ? "_proxy" : "proxy";
    ask(first, (outcome) => {
      const isUnknown =
        !outcome.ok && (outcome.error as { code?: unknown }).code === ErrorCode.methodNotFound;
      if (isUnknown) ask(other, answer);
      else answer(outcome);
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
