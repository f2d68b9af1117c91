import type { ConnectionToAgent } from "./connection-to-agent.ts";
import { ActiveSession } from "./active-session.ts";
import { NewSessionRequest } from "./generated/v1.ts";

/** A session that has not been asked for yet. */
export class SessionBuilder {
  readonly #cx: ConnectionToAgent;
  readonly #request: NewSessionRequest;

  constructor(cx: ConnectionToAgent, request: NewSessionRequest) {
    this.#cx = cx;
    this.#request = request;
  }

  /** Asks the agent for it. Rejects with the agent's error; the connection goes on. */
  start(): Promise<ActiveSession> {
    const cx = this.#cx;
    // In a handler, what waits for the session must not hold up the answer that brings it.
    return cx.letGo(
      new Promise((resolve, reject) => {
        // Ordered: the session hears from the first message behind the answer on.
        cx.sendRequest(NewSessionRequest, this.#request).onReceivingResult((outcome) => {
          if (outcome.ok) resolve(new ActiveSession(cx, outcome.value));
          else reject(outcome.error);
        });
      }),
    );
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
    const cx = this.#cx;
    cx.sendRequest(NewSessionRequest, this.#request).onReceivingResult((outcome) => {
      if (outcome.ok) {
        const session = new ActiveSession(cx, outcome.value);
        cx.spawn(() => then(session));
      } else failed(outcome.error);
    });
  }
}
