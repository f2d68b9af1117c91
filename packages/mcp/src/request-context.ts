import type { HandlerContext, Session } from "@sluice/session";
import type { ClientPeer, Peer } from "./client-peer.ts";
import type { LogLevel } from "./log-level.ts";
import { isObject } from "./message.ts";

export interface ProgressOptions {
  /** What `progress` will be at the end, if it is known. */
  readonly total?: number;
  /** For people. */
  readonly message?: string;
}

/** What a tool, a prompt or a resource is given beside its arguments. */
export interface RequestContext {
  readonly client: ClientPeer;
  /** For calls the other way, such as `sampling/createMessage` and `elicitation/create`. */
  readonly session: Session;
  /** Aborts when the client cancels, and when the session ends. */
  readonly signal: AbortSignal;
  /** `_meta` of the request. */
  readonly meta: Readonly<Record<string, unknown>>;
  /**
   * Tells the client how far it is; `progress` grows from one to the next. Nothing where the client did not ask for it,
   * or the request is over.
   */
  progress(progress: number, options?: ProgressOptions): Promise<void>;
  /** Tells the client, if it wants to hear of that level. `data` is any JSON value. */
  log(level: LogLevel, data: unknown, logger?: string): Promise<void>;
}

export class PeerContext implements RequestContext {
  readonly client: Peer;
  readonly meta: Readonly<Record<string, unknown>>;
  readonly #context: HandlerContext;
  #state: "running" | "over" = "running";

  constructor(client: Peer, params: unknown, context: HandlerContext) {
    this.client = client;
    this.#context = context;
    const meta = isObject(params) ? params["_meta"] : undefined;
    this.meta = isObject(meta) ? meta : {};
  }

  get session(): Session {
    return this.#context.session;
  }

  get signal(): AbortSignal {
    return this.#context.signal;
  }

  // Both may be passed on by themselves.
  readonly progress = async (progress: number, options: ProgressOptions = {}): Promise<void> => {
    const { progressToken } = this.meta;
    const asked = typeof progressToken === "string" || typeof progressToken === "number";
    if (asked && this.#state === "running")
      await this.client.notify("progress", { progressToken, progress, ...options });
  };

  readonly log = (level: LogLevel, data: unknown, logger?: string): Promise<void> =>
    this.client.log(level, data, logger);

  /** The request has been answered. */
  end(): void {
    this.#state = "over";
  }
}
