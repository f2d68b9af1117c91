// One MCP server as it is provided on one ACP connection: to any number of MCP connections, and to requests that stand for
// themselves.
import { CancelledError, ErrorCode, RpcError } from "@sluice/session";
import {
  type ChainMessage,
  type ConnectionTo,
  type Outcome,
  type Responder,
  type Role,
} from "@sluice/session/builder";
import { askAlone } from "./mcp-alone.ts";
import type { McpConnection } from "./mcp-connection.ts";
import type { McpDeclaration } from "./mcp-declaration.ts";
import { answerWith, judged, McpEnd, tell } from "./mcp-end.ts";
import { backendFailed, resourceLimit, serverUnavailable } from "./mcp-error.ts";
import { MCP_PROVIDER_LIMITS, type McpProviderLimits } from "./mcp-limits.ts";
import { addressed, invalid, McpMessage } from "./mcp-methods.ts";
import { componentOf, type McpSource } from "./mcp-source.ts";

export interface McpProviderOptions {
  /** What the declaration says. Default: the name of the server. */
  readonly name?: string;
  /** Default: `mcp-server:` and a UUID, another one on each ACP connection. One that is given is for one server only. */
  readonly serverId?: string;
  readonly limits?: Partial<McpProviderLimits>;
}

/** Those of a function, which has no name to declare. */
export type McpConnectOptions = McpProviderOptions & { readonly name: string };

/** The name it is declared by. @throws TypeError where there is none */
export function mcpNameOf(source: McpSource, { name = source.name }: McpProviderOptions): string {
  if (name === "") throw new TypeError("an MCP server is declared by a name: give it in the option name");
  return name;
}

export class ProvidedServer {
  readonly declaration: McpDeclaration;
  readonly #source: McpSource;
  readonly #agent: Role;
  readonly #limits: McpProviderLimits;
  readonly #connections: Map<string, McpEnd> = new Map();
  /** Of requests that stand for themselves. */
  readonly #requests: Map<string, McpEnd> = new Map();
  #active = 0;
  #state: "open" | "closed" = "open";

  /** `agent`: the peer that asks. */
  constructor(source: McpSource, options: McpProviderOptions, agent: Role) {
    const { serverId = `mcp-server:${crypto.randomUUID()}`, limits } = options;
    this.declaration = { type: "acp", name: mcpNameOf(source, options), serverId };
    this.#source = source;
    this.#agent = agent;
    this.#limits = { ...MCP_PROVIDER_LIMITS, ...limits };
  }

  has(connectionId: string): boolean {
    return this.#connections.has(connectionId);
  }

  /** Answers with a new connection. */
  connect(responder: Responder, acp: ConnectionTo): void {
    if (!this.#hasRoom()) throw resourceLimit("connections");
    const connectionId = `mcp-over-acp-connection:${crypto.randomUUID()}`;
    const address = { connectionId };
    const end = this.#start(connectionId, acp, {
      request: (message, answer) => {
        const params = addressed(address, message);
        answerWith(acp.sendRequestTo(this.#agent, McpMessage, params, { signal: answer.signal }), answer);
      },
      notification: (message) => tell(acp, this.#agent, addressed(address, message)),
    });
    this.#connections.set(connectionId, end);
    responder.respond({ connectionId });
  }

  disconnect(connectionId: string, responder: Responder): void {
    const end = this.#connections.get(connectionId);
    this.#connections.delete(connectionId);
    void end?.finish();
    responder.respond({});
  }

  /** A request in a connection. */
  ask(connectionId: string, message: ChainMessage, responder: Responder): void {
    const end = this.#connections.get(connectionId)!;
    this.#admit();
    answerWith(end.ask(message, responder.signal), responder, (outcome) => {
      this.#active--;
      return outcome;
    });
  }

  /** A notification in a connection. Where the server does not take them, a message would be lost: the connection ends. */
  notify(connectionId: string, message: ChainMessage): void {
    const end = this.#connections.get(connectionId)!;
    void (end.waiting < this.#limits.queued ? end.notify(message) : end.finish());
  }

  /** A request that stands for itself. */
  askAlone(requestId: unknown, message: ChainMessage, responder: Responder, acp: ConnectionTo): void {
    if (typeof requestId !== "string") throw invalid("requestId is missing");
    if (this.#requests.has(requestId)) throw invalid("a request with this requestId is active");
    this.#admit();
    const { serverId } = this.declaration;
    let state: "running" | "over" = "running";
    let end: McpEnd;
    try {
      end = this.#start(undefined, acp, {
        request: (_message, answer) =>
          answer.respondWithError(
            new RpcError(ErrorCode.methodNotFound, "the client cannot be called over this MCP connection"),
          ),
        notification: (inner) =>
          state === "over" ? undefined : tell(acp, this.#agent, addressed({ serverId, requestId }, inner)),
      });
    } catch (error) {
      this.#active--;
      throw error;
    }
    this.#requests.set(requestId, end);
    responder.keep();
    const answer = (outcome: Outcome): void => {
      state = "over";
      this.#active--;
      this.#requests.delete(requestId);
      void end.finish();
      if (!responder.isSettled) responder.respondWithResult(carried(outcome, this.#state));
    };
    askAlone(end, message, responder.signal).then(
      (value) => answer({ ok: true, value }),
      (error: Error) => answer({ ok: false, error }),
    );
  }

  /** Ends all of its connections and requests. */
  close(): void {
    this.#state = "closed";
    for (const end of [...this.#connections.values(), ...this.#requests.values()]) void end.finish();
    this.#connections.clear();
  }

  // What is over stays until the agent disconnects, so that it hears of it; as long as there is room.
  #hasRoom(): boolean {
    if (this.#connections.size < this.#limits.connections) return true;
    for (const [connectionId, end] of this.#connections)
      if (end.state === "over") this.#connections.delete(connectionId);
    return this.#connections.size < this.#limits.connections;
  }

  #admit(): void {
    if (this.#active >= this.#limits.active) throw resourceLimit("active");
    this.#active++;
  }

  #start(
    connectionId: string | undefined,
    acp: ConnectionTo,
    listener: ConstructorParameters<typeof McpEnd>[1],
  ): McpEnd {
    const connection: McpConnection = { serverId: this.declaration.serverId, connectionId, acp };
    try {
      return new McpEnd(componentOf(this.#source, connection), listener, { signal: acp.signal });
    } catch {
      throw backendFailed();
    }
  }
}

/** The inner outcome as the result of the outer request; what is no answer of the server's is an outer error. */
function carried(outcome: Outcome, state: "open" | "closed"): Outcome {
  if (outcome.ok) return { ok: true, value: { result: outcome.value ?? null } };
  const { error } = outcome;
  if (error instanceof CancelledError) return outcome;
  if (state === "closed") return { ok: false, error: serverUnavailable() };
  if (error instanceof RpcError) return { ok: true, value: { error: error.toObject() } };
  return judged(outcome);
}
