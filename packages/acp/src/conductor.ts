// A chain of proxies with an agent at its end, as one agent; or, as one proxy, a chain of proxies alone.
//
// Each part has a connection of its own, and every message crosses it as a new one: ids are never passed on, an answer goes back
// along the requests it came for, a cancel is asked anew at each hop. What a proxy says in an envelope is for the part behind it;
// anything else it says is for the one before. `initialize` becomes `proxy/initialize` where it reaches a proxy.
import { ErrorCode, RpcError } from "@sluice/session";
import {
  type Component,
  type ConnectionTo,
  type ConnectOptions,
  type Dispatch,
} from "@sluice/session/builder";
import type { Transport } from "@sluice/transport";
import { Chain, type Part } from "./chain.ts";
import { AgentRelay, Proxy, Untyped } from "./roles.ts";
import { initializeSpelling, type Spelling } from "./successor.ts";
import type { Trace } from "./trace.ts";

/** What a chain is made of: transports to programs, or builders and other components that run here. */
export interface Parts {
  /** In the order of the messages from the client; default none. */
  readonly proxies?: readonly Part[];
  readonly agent: Part;
}

/** Chooses the parts by the client's `initialize`, which it may change. */
export type Instantiate<P> = (initialize: unknown) => Instantiated<P> | PromiseLike<Instantiated<P>>;
type Instantiated<P> = P & { readonly initialize?: unknown };

export interface ConductorOptions {
  /** Names it in a trace. Default `conductor`. */
  readonly name?: string;
  /** How it speaks to its proxies first; one that does not know it is spoken to in the other spelling. Default `proxy`. */
  readonly spelling?: Spelling;
  /** Greets its parts, so that streams can pass through to those that are Sluice, too. Default false. */
  readonly streams?: boolean;
  /** Told of every message that crosses the conductor. */
  readonly trace?: Trace;
}

type Kind = "agent" | "proxy";

/**
 * Runs a chain for each connection it is given; the parts are started by the first message, which must be `initialize`. Where one
 * part fails, the chain fails: the connection ends with its error, and the other parts with it.
 */
export class Conductor implements Component {
  readonly #kind: Kind;
  readonly #instantiate: Instantiate<{ readonly proxies?: readonly Part[]; readonly agent?: Part }>;
  readonly #options: ConductorOptions;

  private constructor(
    kind: Kind,
    instantiate: Instantiate<{ readonly proxies?: readonly Part[]; readonly agent?: Part }>,
    options: ConductorOptions,
  ) {
    this.#kind = kind;
    this.#instantiate = instantiate;
    this.#options = options;
  }

  /** To a client it is an agent. */
  static agent(parts: Parts | Instantiate<Parts>, options: ConductorOptions = {}): Conductor {
    return new Conductor("agent", typeof parts === "function" ? parts : () => parts, options);
  }

  /** To another conductor it is a proxy: the last of its proxies speaks to whoever is behind it. */
  static proxy(
    proxies: readonly Part[] | Instantiate<{ readonly proxies: readonly Part[] }>,
    options: ConductorOptions = {},
  ): Conductor {
    const instantiate = typeof proxies === "function" ? proxies : () => ({ proxies });
    return new Conductor("proxy", instantiate, options);
  }

  /** Settles once the client and every part is gone. Rejects where a part failed. */
  async connectTo(transport: Transport, options: ConnectOptions = {}): Promise<void> {
    const run: Run = { starting: undefined, chain: undefined };
    const role = this.#kind === "agent" ? AgentRelay : Proxy;
    const builder = role.builder().withHandler((dispatch, cx) => {
      if (dispatch.kind === "response") return cx.sendProxiedMessageTo(Untyped, dispatch);
      if (run.chain !== undefined) return run.chain.fromClient(dispatch);
      return this.#first(run, dispatch, cx, options);
    });
    try {
      await builder.connectTo(transport, options);
    } finally {
      await run.chain?.finish();
    }
  }

  // One that fails can be tried again.
  async #first(run: Run, dispatch: Message, cx: ConnectionTo, options: ConnectOptions): Promise<void> {
    run.starting ??= this.#start(dispatch, cx, options);
    try {
      run.chain = await run.starting;
    } catch (error) {
      run.starting = undefined;
      throw error;
    }
    await run.chain.fromClient(withInitialize(dispatch, run.chain));
  }

  async #start(first: Message, cx: ConnectionTo, options: ConnectOptions): Promise<Chain> {
    if (first.kind !== "request" || !this.#isInitialize(first.method)) {
      const expected = this.#kind === "agent" ? "initialize" : "proxy/initialize";
      throw new RpcError(ErrorCode.invalidRequest, `the first message must be ${expected}`);
    }
    const { proxies = [], agent, initialize } = await this.#instantiate(first.params);
    const { name = "conductor", spelling = "proxy", streams = false, trace } = this.#options;
    const toParts = { ...options, streams };
    const chain = new Chain({ name, cx, proxies, agent, spelling, trace, options: toParts, initialize });
    await chain.opened();
    return chain;
  }

  #isInitialize(method: string): boolean {
    return this.#kind === "agent" ? method === "initialize" : initializeSpelling(method) !== undefined;
  }
}

type Message = Exclude<Dispatch, { kind: "response" }>;

interface Run {
  starting: Promise<Chain> | undefined;
  chain: Chain | undefined;
}

// What the instantiation made of the client's `initialize` goes in its place, once.
function withInitialize(dispatch: Message, chain: Chain): Message {
  if (dispatch.kind !== "request") return dispatch;
  const initialize = chain.takeInitialize();
  return initialize === undefined ? dispatch : { ...dispatch, params: initialize };
}
