// What a client over the mcp wire receives, on whichever response: messages, the answers that requests wait for, and the
// last words of a server of ours. Every request is answered: where its answer cannot come any more, by an error from
// here, so that no call waits for ever.
import { TransportError } from "@sluice/transport";
import type { EventSourceMessage } from "eventsource-parser";
import type { Delivery } from "./delivery.ts";
import { idKey, peek, protocolVersion, type RequestId } from "./envelope.ts";
import { parseEventId } from "./event-id.ts";
import { decodeLastWord } from "./last-word.ts";
import { Inbox } from "./inbox.ts";

/** What the receiver tells its client. */
export interface McpReceiverOwner {
  readonly label: string;
  /** The first answer has come. `version` is that of MCP, where it answers MCP's `initialize`. */
  onFirstAnswer(version: string | undefined): void;
  /** The server ended the session, or broke a rule. */
  onFailure(error: TransportError): void;
}

/** A request that waits for its answer. */
export interface PendingRequest {
  readonly id: RequestId;
  readonly method: string;
  /** Ends its response, on which nothing more is awaited. */
  readonly stop: () => void;
  state: "waiting" | "answered";
}

/** An error that is answered here, in the server's place. */
export interface LocalAnswer {
  readonly code: number;
  readonly message: string;
  /** Whether the request may have run at the server. */
  readonly mayHaveRun: boolean;
}

export class McpReceiver {
  readonly #owner: McpReceiverOwner;
  readonly #delivery: Delivery;
  readonly #inbox: Inbox;
  readonly #pending = new Map<string, PendingRequest>();
  #answers: "none" | "some" = "none";
  #server: "any" | "sluice" = "any";
  #state: "open" | "ended" = "open";

  /** `patience`: ms that a message may be missing while later ones are there. */
  constructor(delivery: Delivery, patience: number, owner: McpReceiverOwner) {
    this.#delivery = delivery;
    this.#owner = owner;
    this.#inbox = new Inbox(delivery, patience, () =>
      owner.onFailure(
        new TransportError("timeout", `P6: ${owner.label} sent messages, but not one that comes before them`),
      ),
    );
  }

  /** Requests without an answer. */
  get pending(): number {
    return this.#pending.size;
  }
  /** Whether the server is one of ours: it answers every request, and says when it ends. */
  get sluice(): boolean {
    return this.#server === "sluice";
  }
  get ended(): boolean {
    return this.#state === "ended";
  }

  expect(id: RequestId, method: string, stop: () => void): PendingRequest {
    const request: PendingRequest = { id, method, stop, state: "waiting" };
    this.#pending.set(idKey(id), request);
    return request;
  }

  find(id: RequestId): PendingRequest | undefined {
    return this.#pending.get(idKey(id));
  }

  /** Takes an event of any stream, or of that of `request`. Resolves when it has been delivered. */
  async event({ id, event: type, data }: EventSourceMessage, request?: PendingRequest): Promise<void> {
    const cursor = id === undefined ? undefined : parseEventId(id);
    if (cursor !== undefined) this.#server = "sluice";
    switch (type) {
      case undefined:
      case "message":
        // Without data it only says where to go on.
        if (data !== "") await this.#inbox.take(cursor?.seq, () => this.#message(data, request));
        return;
      case "end":
        return this.#inbox.take(cursor?.seq, () => this.#lastWord(data));
      case "abort":
        return this.#owner.onFailure(
          new TransportError("closed", `${this.#owner.label} ended the session without an orderly end`),
        );
    }
  }

  /** Takes the JSON body that answers `request`. */
  body(text: string, request: PendingRequest): Promise<void> {
    return this.#inbox.take(undefined, () => this.#message(text, request));
  }

  /** Answers a request in the server's place, unless it has been answered. */
  async answer(request: PendingRequest, error: LocalAnswer): Promise<void> {
    if (request.state === "waiting") await this.#inbox.take(undefined, () => this.#answerNow(request, error));
  }

  /** A message was lost that cannot be asked for again. */
  lost(): void {
    this.#inbox.disorder();
  }

  /** The server sends no more: what waits for an answer gets none. */
  async end(): Promise<void> {
    await this.#inbox.take(undefined, () => this.#end());
  }

  #message(text: string, asked: PendingRequest | undefined): void {
    if (this.#state === "ended") return;
    const envelope = peek(text);
    if (envelope.kind !== "answer") return this.#delivery.push(text);
    // Who could not read the id of a request answers without one; here it is known by its response.
    const unnamed = envelope.id === null && asked?.state === "waiting";
    const request = unnamed ? asked : envelope.id === null ? undefined : this.find(envelope.id);
    if (request !== undefined) this.#settle(request);
    this.#delivery.push(unnamed ? JSON.stringify({ ...(JSON.parse(text) as object), id: asked.id }) : text);
    if (request !== undefined) this.#answered(request, envelope.result);
  }

  #answerNow(request: PendingRequest, { code, message, mayHaveRun }: LocalAnswer): void {
    if (request.state === "answered" || this.#state === "ended") return;
    this.#settle(request);
    const error = { code, message, data: { mayHaveRun } };
    this.#delivery.push(JSON.stringify({ jsonrpc: "2.0", id: request.id, error }));
    this.#answered(request, undefined);
  }

  #answered(request: PendingRequest, result: unknown): void {
    if (this.#answers === "some") return;
    this.#answers = "some";
    this.#owner.onFirstAnswer(request.method === "initialize" ? protocolVersion(result) : undefined);
  }

  #settle(request: PendingRequest): void {
    request.state = "answered";
    this.#pending.delete(idKey(request.id));
  }

  #lastWord(data: string): void {
    const cause = decodeLastWord(data);
    if (cause === "done") return this.#end();
    this.#owner.onFailure(new TransportError("closed", `${this.#owner.label} closed the session: ${cause}`));
  }

  #end(): void {
    for (const request of this.#pending.values())
      this.#answerNow(request, {
        code: -32001,
        message: "the server ended the session without an answer",
        mayHaveRun: true,
      });
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.#delivery.end();
  }
}
