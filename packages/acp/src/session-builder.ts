import {
  Handled,
  type DynamicHandlerGuard,
  type Outcome,
  type RequestType,
  type Responder,
  type SentRequest,
} from "@sluice/session/builder";
import type { McpServer } from "@sluice/mcp";
import { ActiveSession, type SessionResponse } from "./active-session.ts";
import type { ConnectionToAgent } from "./connection-to-agent.ts";
import type { NewSessionResponse, SessionId, SessionUpdate } from "./generated/v1.ts";
import { declare } from "./mcp-declaration.ts";
import {
  mcpNameOf,
  type McpConnectOptions,
  type McpProviderOptions,
  type ProvidedServer,
} from "./mcp-provided.ts";
import { McpProvider } from "./mcp-provider.ts";
import type { McpConnect, McpSource } from "./mcp-source.ts";
import { updateOf } from "./session-update.ts";

/** Is given an update of a session's history. The connection waits for what it returns. */
export type Replay = (update: SessionUpdate) => unknown;

/** What brings a session: its request, and what is to be known of it. */
export interface SessionSetup<R> {
  readonly type: RequestType<unknown, R>;
  readonly params: unknown;
  readonly idOf: (response: R) => SessionId;
  /** Where its history comes before the answer. */
  readonly history?: { readonly sessionId: SessionId; readonly replay: Replay };
}

/** A session that has not been asked for yet. */
export class SessionBuilder<R extends SessionResponse = NewSessionResponse> {
  readonly #cx: ConnectionToAgent;
  readonly #setup: SessionSetup<R>;
  readonly #servers: (readonly [McpSource, McpProviderOptions])[] = [];

  constructor(cx: ConnectionToAgent, setup: SessionSetup<R>) {
    this.#cx = cx;
    this.#setup = setup;
  }

  /**
   * Gives the agent an MCP server in this session: as `ProxyBuilder.withMcpServer`, and over with the session, or, where that is
   * a client's that a proxy stands before, with the connection.
   * @throws TypeError where there is no name
   */
  withMcpServer(server: McpServer, options?: McpProviderOptions): this;
  withMcpServer(connect: McpConnect, options: McpConnectOptions): this;
  withMcpServer(source: McpSource, options: McpProviderOptions = {}): this {
    mcpNameOf(source, options);
    this.#servers.push([source, options]);
    return this;
  }

  /** Asks the agent for it. Rejects with the agent's error; the connection goes on. */
  start(): Promise<ActiveSession> {
    // In a handler, what waits for the session must not hold up the answer that brings it.
    return this.#cx.letGo(new Promise((resolve, reject) => this.#open(resolve, reject)));
  }

  /** Asks for it, runs `use` with it and disposes of it. */
  async runUntil<T>(use: (session: ActiveSession) => T | PromiseLike<T>): Promise<T> {
    await using session = await this.start();
    return await use(session);
  }

  /** Asks for it and calls `then`, beside the connection, once it is there; `failed` where it was refused. */
  onSessionStart(
    then: (session: ActiveSession) => unknown,
    failed: (error: Error) => unknown = () => {},
  ): void {
    this.#open((session) => this.#cx.spawn(() => then(session)), failed);
  }

  /**
   * In a proxy: asks for it on behalf of the client, answers `responder` with whatever comes of it, and calls `then`, beside the
   * connection, where that is a session. Its messages go by as any others do. Where the client cancels, this is cancelled.
   */
  onProxySessionStart(responder: Responder<R>, then: (sessionId: SessionId) => unknown = () => {}): void {
    this.#forClient(responder, (outcome) => {
      if (outcome.ok) this.#cx.spawn(() => then(this.#setup.idOf(outcome.value)));
    });
  }

  /** As `onProxySessionStart`, for who waits. Rejects with the agent's error, which the client has been answered. */
  startSessionProxy(responder: Responder<R>): Promise<SessionId> {
    const started = new Promise<SessionId>((resolve, reject) =>
      this.#forClient(responder, (outcome) => {
        if (outcome.ok) resolve(this.#setup.idOf(outcome.value));
        else reject(outcome.error);
      }),
    );
    return this.#cx.letGo(started);
  }

  // Ordered: the session hears from the first message behind the answer on.
  #open(then: (session: ActiveSession) => void, failed: (error: Error) => unknown): void {
    const cx = this.#cx;
    const replaying = this.#replay();
    const { declared, release } = this.#provide();
    this.#ask(declared).onReceivingResult((outcome) => {
      replaying?.[Symbol.dispose]();
      if (outcome.ok)
        return then(new ActiveSession(cx, this.#setup.idOf(outcome.value), outcome.value, release));
      release();
      return failed(outcome.error);
    });
  }

  #forClient(responder: Responder<R>, then: (outcome: Outcome<R>) => void): void {
    const { declared, release } = this.#provide();
    const sent = this.#ask(declared);
    responder.keep().onCancel(() => sent.cancel());
    sent.onReceivingResult((outcome) => {
      if (!outcome.ok) release();
      if (!responder.isSettled) responder.respondWithResult(outcome);
      then(outcome);
    });
  }

  #ask(params: unknown): SentRequest<R, ConnectionToAgent> {
    return this.#cx.sendRequestTo(this.#cx.agent, this.#setup.type, params);
  }

  // The servers answer from before the agent hears of them.
  #provide(): { readonly declared: unknown; readonly release: () => void } {
    const { params } = this.#setup;
    if (this.#servers.length === 0) return { declared: params, release: () => {} };
    const provider = McpProvider.of(this.#cx);
    provider.attach(this.#cx);
    const servers: ProvidedServer[] = [];
    const release = (): void => {
      for (const server of servers) provider.remove(server);
    };
    try {
      for (const [source, options] of this.#servers) servers.push(provider.add(source, options));
    } catch (error) {
      release();
      throw error;
    }
    return { declared: servers.reduce((now, { declaration }) => declare(now, declaration), params), release };
  }

  #replay(): DynamicHandlerGuard | undefined {
    const cx = this.#cx;
    const { history } = this.#setup;
    if (history === undefined) return undefined;
    const agent = cx.role.styleOf(cx.agent);
    return cx.addDynamicHandler(async (dispatch) => {
      const notification = updateOf(dispatch, agent, history.sessionId);
      if (notification === undefined) return Handled.no();
      await history.replay(notification.update);
      return Handled.yes;
    });
  }
}
