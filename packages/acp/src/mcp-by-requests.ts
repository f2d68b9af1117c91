// An MCP client at a declared server whose provider knows no connections: each of its requests goes for itself. A client of
// conversations is answered `initialize` by what a server of MCP 2026-07-28 says of itself, and from then on each of its requests
// says what that version wants said. A server that is none is asked as the client asks.
import { RpcError } from "@sluice/session";
import { field, type ChainMessage, type ConnectionTo, type Outcome } from "@sluice/session/builder";
import type { Transport } from "@sluice/transport";
import { META, MODERN, VERSION } from "./mcp-alone.ts";
import type { McpConsumer } from "./mcp-consumer.ts";
import { judged, McpEnd } from "./mcp-end.ts";
import { backendFailed } from "./mcp-error.ts";
import { addressed, McpMessage } from "./mcp-methods.ts";

/** The versions of conversations: a client gets the one it asks for. */
const VERSIONS: ReadonlySet<unknown> = new Set([VERSION, "2025-06-18", "2025-03-26"]);
const DISCOVER: ChainMessage = { method: "server/discover", params: undefined };

type Meta = Readonly<Record<string, unknown>>;

export function joinByRequests(
  cx: ConnectionTo,
  consumer: McpConsumer,
  serverId: string,
  transport: Transport,
): void {
  /** What each request says beside what the client says. */
  let meta: Meta = {};
  let server: "modern" | "as it is" = "as it is";

  const send = (message: ChainMessage, signal: AbortSignal, then: (outcome: Outcome) => void): void => {
    const requestId = crypto.randomUUID();
    const params = addressed({ serverId, requestId }, withMeta(message, meta));
    consumer.asking(requestId, end);
    cx.sendRequestTo(consumer.client, McpMessage, params, { signal }).onReceivingResult((outcome) => {
      consumer.answered(requestId);
      then(judged(uncarried(outcome)));
    });
  };

  const end = new McpEnd(
    transport,
    {
      request(message, responder) {
        responder.keep();
        const { signal } = responder;
        const answer = (outcome: Outcome): void => {
          if (!responder.isSettled) responder.respondWithResult(outcome);
        };
        // The later version has no `ping`: each answer says that the server is there.
        if (message.method === "ping" && server === "modern") return responder.respond({});
        if (message.method !== "initialize") return send(message, signal, answer);
        const client = clientOf(message.params);
        meta = { ...client, [`${META}protocolVersion`]: MODERN };
        return send(DISCOVER, signal, (outcome) => {
          const opened = outcome.ok ? openedBy(outcome.value, message.params) : undefined;
          if (opened !== undefined) {
            server = "modern";
            return answer({ ok: true, value: opened });
          }
          meta = client;
          return send(message, signal, answer);
        });
      },
      notification: () => {}, // this revision has none from the client
    },
    { signal: cx.signal },
  );
}

/** What a client says of itself when it opens a conversation. */
function clientOf(params: unknown): Meta {
  return {
    [`${META}clientCapabilities`]: field(params, "capabilities"),
    [`${META}clientInfo`]: field(params, "clientInfo"),
  };
}

/** What the client says itself wins. */
function withMeta({ method, params }: ChainMessage, meta: Meta): ChainMessage {
  const all = { ...meta, ...(field(params, "_meta") as object | undefined) };
  if (Object.keys(all).length === 0) return { method, params };
  return { method, params: { ...(params as object | undefined), _meta: all } };
}

/** The result of `initialize`, from that of `server/discover`; undefined where the server is none of 2026-07-28. */
function openedBy(discovered: unknown, params: unknown): object | undefined {
  const versions = field(discovered, "supportedVersions");
  if (!Array.isArray(versions) || !versions.includes(MODERN)) return undefined;
  const asked = field(params, "protocolVersion");
  const instructions = field(discovered, "instructions");
  return {
    protocolVersion: VERSIONS.has(asked) ? asked : VERSION,
    capabilities: field(discovered, "capabilities") ?? {},
    serverInfo: field(field(discovered, "_meta"), `${META}serverInfo`) ?? { name: "unknown", version: "0" },
    ...(instructions !== undefined && { instructions }),
  };
}

/** The inner outcome that a result carries; where both are there, the result. */
function uncarried(outcome: Outcome): Outcome {
  if (!outcome.ok) return outcome;
  const { value } = outcome;
  if (typeof value === "object" && value !== null && Object.hasOwn(value, "result"))
    return { ok: true, value: field(value, "result") };
  const error = field(value, "error");
  const code = field(error, "code");
  const message = field(error, "message");
  if (typeof code !== "number" || typeof message !== "string") return { ok: false, error: backendFailed() };
  return { ok: false, error: new RpcError(code, message, field(error, "data")) };
}
