// One side of an MCP conversation that goes on over ACP: a connection in the dialect of MCP with the server, or the client,
// that runs here. What it says is told, and what comes over ACP is said to it. Every message crosses as a new one, as in a
// conductor: ids are not passed on, and a cancel is asked anew.
import { CancelledError, mcp, RpcError } from "@sluice/session";
import {
  anyNotification,
  anyRequest,
  notification,
  request,
  Role,
  type ChainMessage,
  type Component,
  type ConnectionTo,
  type ConnectOptions,
  type Outcome,
  type Responder,
  type SentRequest,
} from "@sluice/session/builder";
import type { Transport } from "@sluice/transport";
import { backendFailed } from "./mcp-error.ts";
import { McpNotification } from "./mcp-methods.ts";

const Mcp: Role = new Role({ name: "MCP", counterpart: () => Mcp, dialect: mcp });

/** Is told what the MCP server or client says. */
export interface McpListener {
  request(message: ChainMessage, responder: Responder): void;
  /** What it returns holds up what is said next. */
  notification(message: ChainMessage): Promise<void> | void;
}

export class McpEnd {
  /** Settles once it is over, however that came. */
  readonly over: Promise<void>;
  readonly #cx: ConnectionTo;
  readonly #finish: () => Promise<void>;
  #state: "running" | "over" = "running";
  #waiting = 0;

  constructor(target: Transport | Component, listener: McpListener, options: ConnectOptions) {
    const connection = Mcp.builder()
      .onReceiveRequest(anyRequest, (message, responder) => listener.request(toMessage(message), responder))
      .onReceiveNotification(anyNotification, (message) => {
        // A cancel has cancelled by now, here; where the request went on to, another one says so.
        const inner = toMessage(message);
        return Mcp.isCancel(inner) ? undefined : listener.notification(inner);
      })
      .start(target, options);
    this.#cx = connection.contextOf(undefined);
    this.#finish = () => connection.finish();
    this.over = connection
      .over()
      .catch(() => {})
      .then(() => {
        this.#state = "over";
      });
  }

  get state(): "running" | "over" {
    return this.#state;
  }

  /** Notifications that have not been taken. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Asks it, and gives it up when `signal` aborts. */
  ask({ method, params }: ChainMessage, signal: AbortSignal): SentRequest {
    return this.#cx.sendRequest(request(method), params, { signal });
  }

  /** Never rejects: where it cannot be told, a message is lost, and it ends. */
  async notify(message: ChainMessage): Promise<void> {
    if (Mcp.isCancel(message)) return;
    this.#waiting++;
    try {
      await this.#cx.sendNotification(notification(message.method), message.params);
    } catch {
      void this.finish();
    } finally {
      this.#waiting--;
    }
  }

  /** Ends it. What is pending is cancelled. */
  async finish(): Promise<void> {
    await this.#finish().catch(() => {});
  }
}

/**
 * Answers with what comes of a request. An error of the other side's goes through as it is, unless `change` makes a result of
 * it; what failed on the way is -33002.
 */
export function answerWith(
  sent: SentRequest,
  responder: Responder,
  change: (outcome: Outcome) => Outcome = (outcome) => outcome,
): void {
  responder.keep();
  sent.onReceivingResult((outcome) => {
    const answer = judged(change(outcome));
    if (!responder.isSettled) responder.respondWithResult(answer);
  });
}

/** Notifies a peer over ACP, and waits until it has been taken. Where the connection is over there is nobody to tell. */
export async function tell(acp: ConnectionTo, peer: Role, params: unknown): Promise<void> {
  try {
    await acp.sendNotificationTo(peer, McpNotification, params);
  } catch (error) {
    if (!acp.signal.aborted) throw error;
  }
}

/** What may be said of a failure. */
export function judged(outcome: Outcome): Outcome {
  if (outcome.ok || outcome.error instanceof RpcError || outcome.error instanceof CancelledError)
    return outcome;
  return { ok: false, error: backendFailed() };
}

function toMessage({ method, params }: { readonly method: string; readonly params: unknown }): ChainMessage {
  return { method, params: params as ChainMessage["params"] };
}
