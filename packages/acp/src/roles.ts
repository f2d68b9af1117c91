// Who one is in a conversation of the Agent Client Protocol, and what becomes of what one's handlers leave.
import { acp } from "@sluice/codec";
import { ErrorCode, RpcError } from "@sluice/session";
import {
  counterpartStyle,
  field,
  Handled,
  messageOf,
  Role,
  type Dispatch,
  type RemoteStyle,
} from "@sluice/session/builder";
import { ConnectionToAgent } from "./connection-to-agent.ts";
import { ConnectionToConductor } from "./connection-to-conductor.ts";
import { ProxyBuilder } from "./proxy-builder.ts";
import {
  initializeSpelling,
  isCancel,
  isSuccessor,
  successorSpelling,
  unwrap,
  wrap,
  wrapAgain,
  wrappedCancel,
  type Spelling,
} from "./successor.ts";

const common = { dialect: acp, isCancel, cancelled: wrappedCancel };
// What passes through is written as it came.
const relay = { ...common, dialect: { ...acp, bigIntegers: "kept" } as const };

/** Drives an agent: an editor, a command. */
export const Client: Role<ConnectionToAgent> = new Role<ConnectionToAgent>({
  ...common,
  name: "Client",
  counterpart: () => Agent,
  connection: ConnectionToAgent,
  handler: waitForSession,
});

/** Is driven by a client: runs sessions and prompts. */
export const Agent: Role = new Role({
  ...common,
  name: "Agent",
  side: "acceptor",
  counterpart: () => Client,
});

class ProxyRole extends Role<ConnectionToConductor> {
  override builder(): ProxyBuilder {
    return new ProxyBuilder(this);
  }
}

/** To a client it is an agent: what a conductor is. */
export const AgentRelay: Role = new Role({ ...Agent.options, ...relay });

/** Stands between a client and an agent, or another proxy; a conductor carries what goes between them. */
export const Proxy: ProxyRole = new ProxyRole({
  ...relay,
  name: "Proxy",
  side: "acceptor",
  counterpart: () => Conductor,
  connection: ConnectionToConductor,
  peers: () => neighbours,
  sees: rememberSpelling,
  handler: passOn,
});

/** Starts proxies and an agent, and carries what they say to each other. */
export const Conductor: Role = new Role({ ...relay, name: "Conductor", counterpart: () => Proxy });

/** Whoever is there, message by message. */
export const Untyped: Role = new Role({ ...relay, name: "Untyped", counterpart: () => Untyped });

// How each connection spells the extension: as its conductor did.
const spellings = new WeakMap<object, Spelling>();

function rememberSpelling({ method }: { readonly method: string }, connection: object): void {
  const spelling = initializeSpelling(method) ?? successorSpelling(method);
  if (spelling !== undefined) spellings.set(connection, spelling);
}

/** To and from the side of the client: as it is, but for `initialize`, which is called otherwise where it reaches a proxy. */
const predecessor: RemoteStyle = {
  ...counterpartStyle,
  incoming: (message) => {
    if (isSuccessor(message) || message.method === "initialize") return undefined;
    return initializeSpelling(message.method) === undefined ? message : { ...message, method: "initialize" };
  },
  wrapAgain: (outer, inner) => (inner.method === "initialize" ? { ...inner, method: outer.method } : inner),
};

/** To and from the side of the agent: in an envelope. */
const successor: RemoteStyle = {
  outgoing: (message, connection) => wrap(message, spellings.get(connection) ?? "proxy"),
  incoming: (message) => (isSuccessor(message) ? unwrap(message) : undefined),
  wrapAgain,
};

const neighbours: ReadonlyMap<Role, RemoteStyle> = new Map<Role, RemoteStyle>([
  [Client, predecessor],
  [Agent, successor],
]);

/** Requests whose answer brings a session, and with it, perhaps, a handler of its messages. */
const SETUPS: ReadonlySet<string> = new Set([
  "session/new",
  "session/load",
  "session/resume",
  "session/fork",
]);

// What belongs to a session may arrive before the answer that makes the session known: it waits as long as one is awaited.
function waitForSession(dispatch: Dispatch, cx: ConnectionToAgent): Handled {
  if (dispatch.kind === "response" || field(dispatch.params, "sessionId") === undefined) return Handled.no();
  const awaited = (): boolean => cx.pending.some((method) => SETUPS.has(method));
  return awaited() ? Handled.no({ retry: awaited }) : Handled.no();
}

// A proxy without handlers passes everything on, each way.
function passOn(dispatch: Dispatch, cx: ConnectionToConductor): Promise<void> | undefined {
  if (dispatch.kind === "response") return cx.sendProxiedMessageTo(Agent, dispatch);
  const message = messageOf(dispatch);
  if (isSuccessor(message)) {
    const { method, params } = unwrap(message);
    return cx.sendProxiedMessageTo(Client, { ...dispatch, method, params });
  }
  if (initializeSpelling(message.method) !== undefined)
    return cx.sendProxiedMessageTo(Agent, { ...dispatch, method: "initialize" });
  if (message.method === "initialize")
    throw new RpcError(
      ErrorCode.invalidRequest,
      "a proxy is initialized by proxy/initialize, and not by initialize",
    );
  return cx.sendProxiedMessageTo(Agent, dispatch);
}
