import {
  Handled,
  type DynamicHandlerGuard,
  type Outcome,
  type RequestType,
  type Responder,
  type SentRequest,
} from "@sluice/session/builder";
import { ActiveSession, type SessionResponse } from "./active-session.ts";
import type { ConnectionToAgent } from "./connection-to-agent.ts";
import type { NewSessionResponse, SessionId, SessionUpdate } from "./generated/v1.ts";
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

  constructor(cx: ConnectionToAgent, setup: SessionSetup<R>) {
    this.#cx = cx;
    this.#setup = setup;
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
    this.#ask().onReceivingResult((outcome) => {
      replaying?.[Symbol.dispose]();
      if (outcome.ok) then(new ActiveSession(cx, this.#setup.idOf(outcome.value), outcome.value));
      else failed(outcome.error);
    });
  }

  #forClient(responder: Responder<R>, then: (outcome: Outcome<R>) => void): void {
    const sent = this.#ask();
    responder.keep().onCancel(() => sent.cancel());
    sent.onReceivingResult((outcome) => {
      if (!responder.isSettled) responder.respondWithResult(outcome);
      then(outcome);
    });
  }

  #ask(): SentRequest<R, ConnectionToAgent> {
    const { type, params } = this.#setup;
    return this.#cx.sendRequestTo(this.#cx.agent, type, params);
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
