// One message of a client over the mcp wire: its POST, and what comes of it. A request that fails is answered here, for
// the session goes on without it; where a notification or an answer fails, a message is lost, and the transport ends.
import { TransportError, type TransportErrorCode } from "@sluice/transport";
import { cancelledBy, peek, type RequestId } from "./envelope.ts";
import { follow, type Followed } from "./event-follower.ts";
import type { DialLimits } from "./limits.ts";
import type { Outgoing } from "./mcp-outbox.ts";
import type { LocalAnswer, McpReceiver, PendingRequest } from "./mcp-receiver.ts";
import type { McpRequests } from "./mcp-requests.ts";
import { mediaType } from "./media.ts";
import { pause } from "./pause.ts";
import { readWhole } from "./read-whole.ts";

/** What an exchange needs of its client. */
export interface McpExchangeOwner {
  readonly label: string;
  readonly limits: DialLimits;
  readonly requests: McpRequests;
  readonly receiver: McpReceiver;
  /** Requests are answered by JSON bodies. */
  onJsonServer(): void;
  /** A notification was taken. */
  onNotified(method: string): void;
  onFailure(error: TransportError): void;
}

const REFUSED = /ECONNREFUSED|ConnectionRefused|connection refused/i;

export class McpExchange {
  readonly #owner: McpExchangeOwner;
  readonly #message: Outgoing;
  readonly #abort: AbortController;

  constructor(owner: McpExchangeOwner, message: Outgoing, abort: AbortController) {
    this.#owner = owner;
    this.#message = message;
    this.#abort = abort;
  }

  /** Resolves when all that comes of it has come; calls `taken` when the server has taken it, or never will. */
  async run(taken: () => void): Promise<void> {
    const { envelope } = this.#message;
    const { receiver, limits } = this.#owner;
    if (envelope.kind !== "request") return this.#send(taken);
    const request = receiver.expect(envelope.id, envelope.method, () => this.#abort.abort());
    if (receiver.ended || receiver.pending > limits.pending) {
      taken();
      return receiver.answer(
        request,
        receiver.ended
          ? { code: -32001, message: "the server has ended the session", mayHaveRun: false }
          : {
              code: -32012,
              message: "too many requests wait for answers (limits.pending)",
              mayHaveRun: false,
            },
      );
    }
    await this.#request(request, taken);
    // Whatever has become of it: it is answered.
    await receiver.answer(request, {
      code: -32001,
      message: "the response ended before the answer, and cannot be resumed",
      mayHaveRun: true,
    });
  }

  async #send(taken: () => void): Promise<void> {
    const { requests, onFailure } = this.#owner;
    let response: Response;
    try {
      response = await requests.post(this.#message.text, this.#abort.signal);
    } catch (cause) {
      taken();
      return onFailure(this.#failed(requests.state === "new" ? "connect" : "write", cause));
    }
    void response.body?.cancel().catch(() => {});
    const error = response.ok ? undefined : this.#refused(response.status);
    if (error !== undefined) onFailure(error);
    else this.#wasTaken();
    taken();
  }

  /** What the server's taking of a notification brings about here. */
  #wasTaken(): void {
    const { envelope } = this.#message;
    if (envelope.kind !== "notification") return;
    this.#owner.onNotified(envelope.method);
    const cancelled = cancelledBy(envelope);
    if (cancelled !== undefined) void this.#giveUp(cancelled);
  }

  /** MCP servers do not answer what was cancelled. Ours do, when the handler has let go. */
  async #giveUp(id: RequestId): Promise<void> {
    const { receiver, limits } = this.#owner;
    const request = receiver.find(id);
    if (request === undefined || receiver.sluice) return;
    await pause(limits.patience, this.#abort.signal);
    const message = "cancelled; the server gave no answer";
    await receiver.answer(request, { code: -32800, message, mayHaveRun: true });
    request.stop();
  }

  async #request(request: PendingRequest, taken: () => void): Promise<void> {
    const { requests, receiver, onFailure } = this.#owner;
    let response: Response;
    try {
      response = await requests.post(this.#message.text, this.#abort.signal);
    } catch (cause) {
      taken();
      if (requests.state === "new") return onFailure(this.#failed("connect", cause));
      receiver.lost();
      const mayHaveRun = !REFUSED.test(reason(cause));
      const message = `the POST failed, ${mayHaveRun ? "and may have reached the server" : "for nobody listens"}`;
      return receiver.answer(request, { code: -32001, message, mayHaveRun });
    }
    taken();
    const { type } = mediaType(response.headers.get("content-type"));
    if (!response.ok) return this.#declined(response, request);
    if (type === "text/event-stream") return this.#follow(response, request);
    if (type !== "application/json") {
      void response.body?.cancel().catch(() => {});
      return receiver.answer(request, {
        code: -32001,
        message: "the response is neither JSON nor an event stream: is this an MCP server?",
        mayHaveRun: true,
      });
    }
    this.#owner.onJsonServer();
    const text = await this.#read(response);
    if (text !== undefined) await receiver.body(text, request);
  }

  async #follow(response: Response, request: PendingRequest): Promise<void> {
    const { requests, receiver, limits, onFailure } = this.#owner;
    const { signal } = this.#abort;
    let followed: Followed;
    try {
      followed = await follow(
        { response, byGet: false },
        {
          limits,
          signal,
          get: (last) => requests.get(last, signal),
          take: (event) => receiver.event(event, request),
          done: () => request.state === "answered" || receiver.ended,
        },
      );
    } catch (cause) {
      return onFailure(cause as TransportError);
    }
    if (followed === "unknown" && requests.session !== undefined) return onFailure(this.#unknown());
    if (followed !== "done" && followed !== "ended") receiver.lost();
  }

  /** The server turned the request away. */
  async #declined(response: Response, request: PendingRequest): Promise<void> {
    const { requests, receiver, onFailure } = this.#owner;
    const { status } = response;
    const unusable =
      requests.state === "new" ? status !== 400 : status === 404 && requests.session !== undefined;
    const error = unusable ? this.#refused(status) : undefined;
    if (error !== undefined) {
      void response.body?.cancel().catch(() => {});
      return onFailure(error);
    }
    const text = await this.#read(response);
    const envelope = text === undefined ? undefined : peek(text);
    const answers = envelope?.kind === "answer" && envelope.result === undefined;
    if (answers && (envelope.id === null || envelope.id === request.id)) return receiver.body(text!, request);
    return receiver.answer(request, declined(status));
  }

  async #read(response: Response): Promise<string | undefined> {
    const { limits, label, onFailure } = this.#owner;
    try {
      const text = await readWhole(response.body, limits.message);
      if (text !== undefined) return text;
      onFailure(
        new TransportError(
          "protocol",
          `${label} answered with more than ${limits.message} bytes (limits.message)`,
        ),
      );
    } catch {
      // Cut off: the request is answered for.
    }
    return undefined;
  }

  #refused(status: number): TransportError {
    const { requests, label } = this.#owner;
    if (status === 404 && requests.session !== undefined) return this.#unknown();
    const code = requests.state === "new" ? "connect" : "write";
    return new TransportError(code, `${label} refused a message with status ${status}: ${advice(status)}`);
  }

  #unknown(): TransportError {
    return new TransportError(
      "unknown-session",
      `${this.#owner.label} does not know the session: dial again`,
    );
  }

  #failed(code: TransportErrorCode, cause: unknown): TransportError {
    const doing = code === "connect" ? "connecting to" : "writing to";
    return new TransportError(code, `${doing} ${this.#owner.label} failed: ${reason(cause)}`, { cause });
  }
}

function declined(status: number): LocalAnswer {
  return {
    code: -32001,
    message: `the server answered with status ${status}: ${advice(status)}`,
    mayHaveRun: status >= 500,
  };
}

function advice(status: number): string {
  if (status === 0 || (status >= 300 && status < 400))
    return "redirects are not followed, dial where it leads";
  if (status === 401 || status === 403) return "give credentials by the option headers";
  if (status === 404 || status === 405) return "is this the URL of an MCP server?";
  if (status === 406 || status === 415) return "does the server speak MCP's Streamable HTTP?";
  if (status === 429 || status >= 500) return "try again later";
  return "it did not take the message";
}

/** What a failed `fetch` says, with what is behind it: Node puts the reason into the cause. */
function reason(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const code = "code" in cause && typeof cause.code === "string" ? ` (${cause.code})` : "";
  return cause.cause === undefined ? cause.message + code : `${cause.message}${code}: ${reason(cause.cause)}`;
}
