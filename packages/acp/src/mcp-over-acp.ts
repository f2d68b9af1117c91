// The side of the agent: a declared server as something that an MCP client can be connected to.
import { ErrorCode } from "@sluice/codec";
import { RpcError } from "@sluice/session";
import { field, type ConnectionTo, type Outcome } from "@sluice/session/builder";
import { memoryPair, TransportError, type Transport } from "@sluice/transport";
import { joinByRequests } from "./mcp-by-requests.ts";
import { McpConsumer } from "./mcp-consumer.ts";
import type { McpDeclaration } from "./mcp-declaration.ts";
import { answerWith, McpEnd, tell } from "./mcp-end.ts";
import { backendFailed } from "./mcp-error.ts";
import { addressed, McpConnect, McpDisconnect, McpMessage, type McpRevision } from "./mcp-methods.ts";
import { McpNear } from "./mcp-near.ts";
import { peerOf } from "./peer-of.ts";

export interface McpOverAcpOptions {
  /** How the provider speaks. Default: it is asked for a connection, and where it does not know what that is, for requests. */
  readonly revision?: McpRevision;
}

/**
 * A transport to a server that a client or a proxy has declared: for `connect` of @sluice/session with dialect `mcp`, and
 * whatever else speaks MCP over a transport. Closing it ends the conversation; so does the end of `cx`.
 *
 * Where it cannot be opened it ends with code `aborted`, and the provider's error in its cause. In the revision of requests
 * a server cannot call, and hears no notifications; who the client is goes with each request.
 * @throws TypeError where `cx` is not that of an agent, or of a proxy
 */
export function mcpOverAcp(
  cx: ConnectionTo,
  { serverId }: Pick<McpDeclaration, "serverId">,
  options: McpOverAcpOptions = {},
): Transport {
  peerOf(cx.role, "Client");
  const [near, far] = memoryPair({ unit: "messages" });
  void cx.letGo(joinMcp(cx, serverId, far, options));
  return new McpNear(cx, near);
}

/** Joins an MCP client, at the other end of `transport`, to a declared server. Settles once that is open or has failed. */
export async function joinMcp(
  cx: ConnectionTo,
  serverId: string,
  transport: Transport,
  { revision }: McpOverAcpOptions = {},
): Promise<void> {
  const consumer = McpConsumer.of(cx);
  if (revision === "requests") return joinByRequests(cx, consumer, serverId, transport);
  await new Promise<void>((resolve) => {
    // Ordered: what the server says behind the answer is for a connection that is known.
    cx.sendRequestTo(consumer.client, McpConnect, { serverId }).onReceivingResult((outcome) => {
      const connectionId = outcome.ok ? field(outcome.value, "connectionId") : undefined;
      if (typeof connectionId === "string") joinConnection(cx, consumer, connectionId, transport);
      else if (revision === undefined && isUnknown(outcome))
        joinByRequests(cx, consumer, serverId, transport);
      else fail(transport, outcome.ok ? backendFailed() : outcome.error);
      resolve();
    });
  });
}

function joinConnection(
  cx: ConnectionTo,
  consumer: McpConsumer,
  connectionId: string,
  transport: Transport,
): void {
  const { client } = consumer;
  const address = { connectionId };
  const end = new McpEnd(
    transport,
    {
      request: (message, responder) => {
        const params = addressed(address, message);
        answerWith(cx.sendRequestTo(client, McpMessage, params, { signal: responder.signal }), responder);
      },
      notification: (message) => tell(cx, client, addressed(address, message)),
    },
    { signal: cx.signal },
  );
  consumer.connected(connectionId, end);
  void end.over.then(() => {
    if (!cx.signal.aborted) cx.sendRequestTo(client, McpDisconnect, address).detach();
  });
}

function isUnknown(outcome: Outcome): boolean {
  return !outcome.ok && outcome.error instanceof RpcError && outcome.error.code === ErrorCode.methodNotFound;
}

function fail(transport: Transport, cause: Error): void {
  transport.abort(
    new TransportError("connect", `the MCP server cannot be reached: ${cause.message}`, { cause }),
  );
}
