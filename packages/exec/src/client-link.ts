// One client over as many sessions as it takes. Each connection is a generation: only the one that is current is heard
// of. When it is lost, whoever waits for it is told in the same tick; calls are not sent again, except where the
// executor knows them as the same (`repeat`).
import type { CallOptions, Session } from "@sluice/session";
import { may, move } from "@sluice/streams";
import { callError, disconnected, ExecError } from "./client-error.ts";
import type { Connection } from "./client-handshake.ts";
import { CLIENT, type ClientEvent, type ClientState } from "./client-state.ts";
import type { Link } from "./link.ts";
import { recover, type RecoveryOptions } from "./recovery.ts";
import { unlessAborted } from "./unless-aborted.ts";

/** What a link is given to work with, and whom it tells. */
export interface LinkHost {
  /** A connection whose handshake is over. `resume`: the session to go on with. */
  open(resume: string | undefined, signal: AbortSignal): Promise<Connection>;
  /** Undefined where a lost connection cannot be opened again. */
  readonly recovery: RecoveryOptions | undefined;
  /** The session is gone: what cannot outlive it is over. */
  lost(reason: ExecError): void;
  /** Brings what outlives a session over to the next, before anybody else uses that. Throws where it is lost again. */
  resume(session: Session, signal: AbortSignal): Promise<void>;
  /** It is being recovered, and has been. */
  recovering(reason: ExecError): void;
  recovered(): void;
  /** It is over. */
  over(reason: ExecError): void;
}

export class ClientLink implements Link {
  /** Settles, and never rejects, when the client is over. */
  readonly closed: Promise<ExecError>;
  readonly #host: LinkHost;
  readonly #abort: AbortController = new AbortController();
  #resolveClosed!: (reason: ExecError) => void;
  #state: ClientState = "connecting";
  #connection: Connection | undefined;
  /** Why there is no session, where there is none. */
  #reason: ExecError | undefined;
  /** The current session; the next one while there is none. */
  #next: PromiseWithResolvers<Session> = expectation();
  #requests = 0;

  constructor(host: LinkHost) {
    this.#host = host;
    this.closed = new Promise((resolve) => (this.#resolveClosed = resolve));
  }

  get state(): ClientState {
    return this.#state;
  }

  /** Calls of the current session without an answer. */
  get calls(): number {
    return this.#connection?.session.stats().calls ?? 0;
  }

  get sessionId(): string {
    return this.#connection?.sessionId ?? "";
  }

  get capabilities(): Readonly<Record<string, unknown>> {
    return this.#connection?.environment?.capabilities ?? NONE;
  }

  get environment(): Connection["environment"] {
    return this.#connection?.environment;
  }

  /** Opens the first connection. Rejects where that fails: there is nothing to recover yet. */
  async start(): Promise<void> {
    try {
      const connection = await this.#host.open(undefined, this.#abort.signal);
      this.#install(connection);
      this.#watch(connection);
    } catch (error) {
      if (may(CLIENT, this.#state, "fail")) this.#end("fail", asReason(error));
      throw error;
    }
  }

  nextRequestId(): string {
    return `http-${++this.#requests}`;
  }

  async session(): Promise<Session> {
    if (this.#state === "recovering" && this.#host.recovery?.calls === "fail")
      throw new ExecError("recovering", "exec-server environment is recovering", { cause: this.#reason });
    return this.#next.promise;
  }

  /** A call that is made once. */
  async call(method: string, params: unknown, options: CallOptions = {}): Promise<unknown> {
    const session = await unlessAborted(this.session(), options.signal);
    try {
      return await session.call(method, params, options);
    } catch (error) {
      throw callError(error, method, options);
    }
  }

  /**
   * A call that is made as soon as there is a session, whatever the policy, and again on the next where one is lost: it
   * is harmless, or known to the executor by an id.
   */
  async repeat(method: string, params: unknown): Promise<unknown> {
    for (;;) {
      const session = await this.#next.promise;
      try {
        return await session.call(method, params);
      } catch (error) {
        const failure = callError(error, method);
        const isLost = failure instanceof ExecError && failure.kind === "disconnected";
        if (!isLost || this.#host.recovery === undefined) throw failure;
      }
      await session.closed; // by then it is no longer current
    }
  }

  async close(reason: string): Promise<void> {
    const { session } = this.#connection ?? {};
    if (may(CLIENT, this.#state, "close")) this.#end("close", new ExecError("closed", reason));
    await session?.close(reason);
  }

  #install(connection: Connection): void {
    const { session } = connection;
    this.#connection = connection;
    this.#move("connect");
    this.#reason = undefined;
    this.#next.resolve(session);
  }

  /** Loses it in the tick its session ends; at once where it has ended. */
  #watch(connection: Connection): void {
    connection.session.defer(() => this.#lost(connection));
  }

  #lost({ session }: Connection): void {
    if (session !== this.#connection?.session || this.#state !== "connected") return;
    const reason = disconnected(session.error!);
    if (this.#host.recovery === undefined) return this.#end("fail", reason);
    this.#reason = reason;
    this.#next = expectation();
    this.#move("lose");
    this.#host.lost(reason);
    this.#host.recovering(reason);
    void this.#recover(reason, this.#host.recovery);
  }

  async #recover(reason: ExecError, options: RecoveryOptions): Promise<void> {
    const { signal } = this.#abort;
    let connection: Connection;
    try {
      connection = await recover((either) => this.#attempt(either), options, signal);
    } catch (cause) {
      if (!may(CLIENT, this.#state, "fail")) return; // it was closed
      const why = cause instanceof Error ? cause.message : String(cause);
      const message = `${reason.message}; failed to resume exec-server session: ${why}`;
      return this.#end("fail", new ExecError("failed", message, { cause }));
    }
    if (!may(CLIENT, this.#state, "connect")) return void connection.session.close("the client was closed");
    this.#install(connection);
    this.#host.recovered();
    this.#watch(connection); // it may be lost again already, which is told next
  }

  async #attempt(signal: AbortSignal): Promise<Connection> {
    const connection = await this.#host.open(this.sessionId, signal);
    const { session } = connection;
    try {
      await this.#host.resume(session, signal);
      if (session.error !== undefined) throw disconnected(session.error);
      return connection;
    } catch (error) {
      await session.close("not resumed");
      throw error;
    }
  }

  #end(event: "fail" | "close", reason: ExecError): void {
    // Whoever waits for the next session already holds its promise.
    if (this.#state === "connected") this.#next = expectation();
    this.#move(event);
    this.#reason = reason;
    this.#abort.abort(reason);
    this.#next.reject(reason);
    this.#host.lost(reason);
    this.#host.over(reason);
    this.#resolveClosed(reason);
  }

  #move(event: ClientEvent): void {
    this.#state = move(CLIENT, this.#state, event);
  }
}

const NONE: Readonly<Record<string, unknown>> = Object.freeze({});

/** A promise somebody else settles; whether anybody waits for it or not. */
function expectation<T>(): PromiseWithResolvers<T> {
  const expected = Promise.withResolvers<T>();
  expected.promise.catch(() => {});
  return expected;
}

function asReason(error: unknown): ExecError {
  if (error instanceof ExecError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new ExecError("failed", `cannot connect to the exec-server: ${message}`, { cause: error });
}
