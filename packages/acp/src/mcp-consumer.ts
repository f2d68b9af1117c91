// The declared servers that are used over one ACP connection, and whom a message from one of them is for.
import { ErrorCode } from "@sluice/codec";
import { RpcError } from "@sluice/session";
import {
  Handled,
  messageOf,
  type ConnectionTo,
  type Dispatch,
  type Responder,
  type Role,
} from "@sluice/session/builder";
import { answerWith, type McpEnd } from "./mcp-end.ts";
import { addressOf, innerOf, McpMessage } from "./mcp-methods.ts";
import { peerOf } from "./peer-of.ts";

const consumers = new WeakMap<object, McpConsumer>();

export class McpConsumer {
  /** Who provides the servers. */
  readonly client: Role;
  readonly #connections: Map<string, McpEnd> = new Map();
  /** By `requestId`; those are ours, and unique. */
  readonly #requests: Map<string, McpEnd> = new Map();

  private constructor(cx: ConnectionTo) {
    this.client = peerOf(cx.role, "Client");
    cx.addDynamicHandler((dispatch, now) => this.#handle(dispatch, now)).detach();
  }

  /** That of a connection. From the first time on it hears what servers say, and answers what is for nobody. */
  static of(cx: ConnectionTo): McpConsumer {
    const found = consumers.get(cx.connection);
    if (found !== undefined) return found;
    const consumer = new McpConsumer(cx);
    consumers.set(cx.connection, consumer);
    return consumer;
  }

  /** What comes for this connection is said to `end`, until it is over. */
  connected(connectionId: string, end: McpEnd): void {
    this.#connections.set(connectionId, end);
    void end.over.then(() => this.#connections.delete(connectionId));
  }

  /** What comes for this request is said to `end`, until it is answered. */
  asking(requestId: string, end: McpEnd): void {
    this.#requests.set(requestId, end);
  }
  answered(requestId: string): void {
    this.#requests.delete(requestId);
  }

  #handle(dispatch: Dispatch, cx: ConnectionTo): Handled | void {
    if (dispatch.kind === "response") return Handled.no();
    const message = cx.role.styleOf(this.client).incoming(messageOf(dispatch));
    if (message?.method !== McpMessage.method) return Handled.no();
    if (dispatch.kind === "request") this.#ask(message.params, dispatch.responder, cx);
    else this.#tell(message.params);
    return Handled.yes;
  }

  #ask(params: unknown, responder: Responder, cx: ConnectionTo): void {
    const address = addressOf(params);
    const end = address?.to === "connection" ? this.#connections.get(address.connectionId) : undefined;
    if (end === undefined)
      throw new RpcError(ErrorCode.invalidParams, "no MCP connection of this connectionId is open here");
    const inner = innerOf(params);
    responder.keep();
    // Beside the connection: what the MCP client waits for holds none of its handlers, and lets none go.
    cx.spawn(() => answerWith(end.ask(inner, responder.signal), responder));
  }

  // For nobody, or for a request that has been answered: ignored.
  #tell(params: unknown): void {
    const address = addressOf(params);
    if (address === undefined) return;
    const end =
      address.to === "connection"
        ? this.#connections.get(address.connectionId)
        : this.#requests.get(String(address.requestId));
    void end?.notify(innerOf(params));
  }
}
