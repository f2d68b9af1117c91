// One connection: its handshake, what it may be asked, and which of that runs when. What it has open (files, requests) is
// its own and ends with it; processes belong to its session.
import {
  codex,
  ErrorCode,
  RpcError,
  serve,
  type Handler,
  type HandlerContext,
  type Session,
} from "@sluice/session";
import type { Transport } from "@sluice/transport";
import * as v from "valibot";
import { environmentInfo, environmentMethods } from "./environment.ts";
import { invalidRequest } from "./executor-error.ts";
import type { ExecutorLimits } from "./executor-limits.ts";
import { familyOf, runsAtOnce, type MethodTable } from "./executor-methods.ts";
import { maybe, parse } from "./executor-params.ts";
import type { ExecSession, Sessions } from "./executor-sessions.ts";
import { FileMethods } from "./file-methods.ts";
import type { HttpClient } from "./http-client.ts";
import { HttpRunner } from "./http-runner.ts";
import { Lanes } from "./lanes.ts";
import { processMethods } from "./process-methods.ts";

/** What all connections of an executor share. */
export interface ConnectionOptions {
  readonly limits: ExecutorLimits;
  readonly sessions: Sessions;
  readonly http: HttpClient;
  readonly onHandlerError: ((error: unknown, method: string) => void) | undefined;
}

/** How far the handshake has come: `initialize` is answered, `initialized` has arrived. */
type Phase = "fresh" | "named" | "ready" | "over";

const PHASES: Readonly<Record<Phase, Partial<Record<"initialize" | "initialized" | "end", Phase>>>> = {
  fresh: { initialize: "named", end: "over" },
  named: { initialized: "ready", end: "over" },
  ready: { end: "over" },
  over: {},
};

export class Connection {
  /** Settles, and never rejects, once it is over and its transport released. */
  readonly over: Promise<void>;
  readonly #options: ConnectionOptions;
  readonly #lanes: Lanes;
  readonly #files: FileMethods;
  readonly #http: HttpRunner;
  readonly #tables: readonly MethodTable[];
  readonly #abort: AbortController = new AbortController();
  #phase: Phase = "fresh";
  #rpc: Session | undefined;
  #session: ExecSession | undefined;

  constructor(transport: Transport, options: ConnectionOptions) {
    const { limits, http } = options;
    this.#options = options;
    this.#lanes = new Lanes(limits);
    this.#files = new FileMethods(limits);
    this.#http = new HttpRunner({ client: http, limits, lanes: this.#lanes, variables: process.env });
    const processes = processMethods(() => this.#attached().processes);
    this.#tables = [environmentMethods, processes, this.#files, this.#http];
    this.over = this.#serve(transport);
  }

  /** Files that are open. */
  get handles(): number {
    return this.#files.open;
  }

  /** HTTP requests and bodies under way. */
  get requests(): number {
    return this.#http.open;
  }

  /** Settles as `over` does. */
  async close(reason: string): Promise<void> {
    if (this.#rpc === undefined) this.#abort.abort();
    else await this.#rpc.close(reason);
    await this.over;
  }

  async #serve(transport: Transport): Promise<void> {
    const { message, outbox } = this.#options.limits;
    const { onHandlerError } = this.#options;
    try {
      this.#rpc = await serve(transport, {
        // The real peers know nothing of the greeting and answer that there is no such method, or never ask.
        dialect: { ...codex, greets: true },
        name: "sluice-exec",
        handlers: this.#handlers(),
        notifications: { initialized: (_params, { session }: HandlerContext) => this.#initialized(session) },
        fallback: (_params, { method }) => {
          throw new RpcError(
            ErrorCode.methodNotFound,
            `exec-server stub does not implement \`${method}\` yet`,
          );
        },
        // What runs is bounded by the lanes; control calls must never wait.
        limits: { message, outbox, calls: 65_536 },
        signal: this.#abort.signal,
        ...(onHandlerError !== undefined && { onHandlerError }),
      });
      await this.#rpc.closed;
    } catch {
      // It never became a session: there is nobody to be told.
    }
    this.#end();
  }

  #handlers(): Record<string, Handler> {
    const handlers: Record<string, Handler> = {
      initialize: (params: unknown, { session }: HandlerContext) => this.#initialize(params, session),
    };
    for (const table of this.#tables)
      for (const [method, handler] of Object.entries(table.handlers))
        handlers[method] = this.#gated(method, handler);
    return handlers;
  }

  /** In its turn, and not before the handshake is over. */
  #gated(method: string, handler: Handler): Handler {
    const family = familyOf(method);
    const atOnce = runsAtOnce(method);
    return (params: unknown, context) => {
      if (this.#phase !== "ready") {
        const missing = this.#phase === "fresh" ? "call initialize" : "send initialized";
        throw invalidRequest(`client must ${missing} before using ${family} methods`);
      }
      if (atOnce) return handler(params, context);
      return this.#lanes.run(
        params,
        () => context.signal,
        () => handler(params, context),
      );
    };
  }

  #initialize(params: unknown, rpc: Session): unknown {
    const { resumeSessionId } = parse(INITIALIZE, params);
    if (this.#phase !== "fresh") throw invalidRequest("initialize may only be sent once per connection");
    const { sessions } = this.#options;
    const notify = (method: string, told: unknown): Promise<void> => rpc.notify(method, told);
    this.#session = sessions.attach(resumeSessionId, notify);
    this.#move("initialize");
    rpc.defer(() => this.#end());
    return { sessionId: this.#session.id, environmentInfo: environmentInfo() };
  }

  #initialized(rpc: Session): void {
    if (this.#phase === "fresh") void rpc.close("`initialized` came before `initialize` was answered");
    else if (this.#phase === "named") this.#move("initialized");
  }

  #attached(): ExecSession {
    if (this.#session === undefined) throw invalidRequest("the connection is over");
    return this.#session;
  }

  /** The connection is gone. */
  #end(): void {
    if (this.#phase === "over") return;
    this.#move("end");
    for (const table of this.#tables) table.close();
    if (this.#session !== undefined) this.#options.sessions.detach(this.#session);
    this.#session = undefined;
  }

  #move(event: "initialize" | "initialized" | "end"): void {
    this.#phase = PHASES[this.#phase][event] ?? this.#phase;
  }
}

const INITIALIZE = v.object({ clientName: v.string(), resumeSessionId: maybe(v.string()) });
