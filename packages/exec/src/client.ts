import type { Observer } from "@sluice/session";
import type { Transport } from "@sluice/transport";
import { ExecError } from "./client-error.ts";
import { handshake, type Dial, type HandshakeOptions } from "./client-handshake.ts";
import { bounded } from "./client-inbound.ts";
import { ClientLink } from "./client-link.ts";
import { withDefaults, type ExecLimits } from "./client-limits.ts";
import { policyHandler, type OnPolicyRequest } from "./client-policy.ts";
import type { ClientState } from "./client-state.ts";
import { decode, environmentInfo, environmentStatus, type EnvironmentInfo } from "./client-wire.ts";
import { httpLink } from "./client-http-link.ts";
import type { HttpClient } from "./http-client.ts";
import { checked, type RecoveryOptions } from "./recovery.ts";
import { Files, type RemoteFiles } from "./remote-files.ts";
import { RemoteHttp, type RemoteHttpLimits } from "./remote-http.ts";
import { Processes, type RemoteProcesses } from "./remote-processes.ts";
import { LONGEST } from "./timer.ts";

export interface ConnectOptions {
  /** Told to the executor. Default `sluice`. */
  readonly clientName?: string;
  /**
   * `auto` (default): speaks Sluice where the executor does, and the codex exec-server's wire where it does not.
   * `codex`: never says anything of our own.
   */
  readonly wire?: "auto" | "codex";
  readonly limits?: Partial<ExecLimits>;
  /** The bounds of its requests. */
  readonly http?: Partial<RemoteHttpLimits>;
  /** Gives up connecting, and later closes the client. */
  readonly signal?: AbortSignal;
  /** How a lost connection is recovered. Only where there is a function to dial with. */
  readonly recovery?: RecoveryOptions;
  /** The connection was lost and is being recovered. */
  readonly onRecovering?: (reason: ExecError) => void;
  /** It has been recovered. */
  readonly onRecovered?: () => void;
  /** Decides what a managed process may connect to. Default: nothing. */
  readonly onPolicyRequest?: OnPolicyRequest;
  /** Told what a listener of these options threw. Default: console.error. */
  readonly onHandlerError?: (error: unknown, name: string) => void;
  /** Sees the messages of every session. */
  readonly observer?: Observer;
}

/** What a client holds. All zero once everything in it is over. */
export interface ExecStats {
  /** Calls without an answer. */
  readonly calls: number;
  /** Bodies of responses that have not ended. */
  readonly bodies: number;
  /** Processes that run, or whose output has not all come. */
  readonly processes: number;
  /** Files open as streams. */
  readonly files: number;
}

/** One client of an executor, over as many connections as it takes. Disposing of it closes it. */
export interface ExecClient extends AsyncDisposable {
  /** Requests made by the executor. A body does not outlive its connection. */
  readonly http: HttpClient;
  readonly processes: RemoteProcesses;
  readonly files: RemoteFiles;
  /** Where the executor's programs run, and what it can do. */
  environment(): Promise<EnvironmentInfo>;
  /** `ready`, or the executor's word. Never waits for a recovery, nor starts one. */
  status(): Promise<string>;
  /** The executor's name for this client's session: who knows it can take that over. */
  readonly sessionId: string;
  readonly state: ClientState;
  /** What the executor says it can do, by name. */
  readonly capabilities: Readonly<Record<string, unknown>>;
  /** Settles, and never rejects, when the client is over, with the reason. */
  readonly closed: Promise<ExecError>;
  stats(): ExecStats;
  /** Ends the processes it has started, and then the session. Settles once that is over. */
  close(reason?: string): Promise<void>;
}

/**
 * Connects to an executor: one of ours, or a codex exec-server. Settles once it takes calls.
 *
 * @param to a transport, used once; or a function that dials one, with which a lost connection is dialled again and
 * the session resumed: new calls wait for it, bodies and open files end, processes run on and nothing they write is
 * lost. A WebSocket needs `limits.message` of its transport as large as `limits.message` here, and for a codex
 * exec-server no subprotocols.
 * @throws ExecError, what the function threw, or the reason of the signal.
 */
export async function connect(to: Transport | Dial, options: ConnectOptions = {}): Promise<ExecClient> {
  const client = new Client(to, options);
  await client.start();
  return client;
}

class Client implements ExecClient {
  readonly http: RemoteHttp;
  readonly processes: Processes;
  readonly files: Files;
  readonly #options: ConnectOptions;
  readonly #limits: ExecLimits;
  readonly #link: ClientLink;

  constructor(to: Transport | Dial, options: ConnectOptions) {
    this.#options = options;
    this.#limits = withDefaults(options.limits);
    // A transport that is not wanted any more has to be let go of; one that is not wanted need not be dialled.
    const dial: Dial =
      typeof to === "function" ? (signal) => (signal.throwIfAborted(), to(signal)) : () => to;
    this.#link = new ClientLink({
      open: (resume, signal) => handshake(dial, this.#handshakeOptions(), resume, signal),
      recovery: typeof to === "function" ? checked(options.recovery) : undefined,
      lost: (reason) => this.http.lost(reason),
      recovering: (reason) => this.#tell("onRecovering", () => options.onRecovering?.(reason)),
      resume: (session, signal) => this.processes.resume(session, signal),
      recovered: () => this.#tell("onRecovered", () => options.onRecovered?.()),
      over: (reason) => this.processes.over(reason),
    });
    this.http = new RemoteHttp(httpLink(this.#link), options.http);
    this.processes = new Processes(this.#link, this.#limits);
    this.files = new Files(this.#link);
  }

  async start(): Promise<void> {
    const { signal } = this.#options;
    const onAbort = (): void => void this.close("its signal aborted");
    if (signal?.aborted === true) onAbort();
    signal?.addEventListener("abort", onAbort, { once: true });
    void this.closed.then(() => signal?.removeEventListener("abort", onAbort));
    try {
      await this.#link.start();
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  }

  get sessionId(): string {
    return this.#link.sessionId;
  }
  get state(): ClientState {
    return this.#link.state;
  }
  get capabilities(): Readonly<Record<string, unknown>> {
    return this.#link.capabilities;
  }
  get closed(): Promise<ExecError> {
    return this.#link.closed;
  }

  async environment(): Promise<EnvironmentInfo> {
    const answer = await this.#link.call("environment/info", {}, { timeout: this.#limits.environment });
    return decode(environmentInfo, answer, "the answer to environment/info");
  }

  async status(): Promise<string> {
    const { state } = this;
    if (state !== "connected")
      throw new ExecError("disconnected", `the exec-server is not connected: the client is ${state}`, {
        mayHaveRun: false,
      });
    const answer = await this.#link.call("environment/status", {}, { timeout: this.#limits.status });
    return decode(environmentStatus, answer, "the answer to environment/status").status;
  }

  stats(): ExecStats {
    return {
      calls: this.#link.calls,
      bodies: this.http.open,
      processes: this.processes.open,
      files: this.files.open,
    };
  }

  async close(reason: string = "the client was closed"): Promise<void> {
    if (this.state === "connected" && this.processes.open > 0)
      await this.processes.terminate(AbortSignal.timeout(Math.min(this.#limits.close, LONGEST)));
    await this.#link.close(reason);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #handshakeOptions(): HandshakeOptions {
    const { clientName = "sluice", wire = "auto", onPolicyRequest, onHandlerError, observer } = this.#options;
    const handlers = { "network/policyRequest": policyHandler(onPolicyRequest) };
    const events = { ...this.http.notifications, ...this.processes.notifications };
    const session = {
      ...bounded({ handlers, events }, this.#limits),
      ...(observer && { observer }),
      ...(onHandlerError && { onHandlerError }),
    };
    return { clientName, wire, limits: this.#limits, session };
  }

  #tell(name: string, listener: () => void): void {
    try {
      listener();
    } catch (error) {
      const { onHandlerError } = this.#options;
      if (onHandlerError !== undefined) return onHandlerError(error, name);
      // oxlint-disable-next-line no-console -- an error nobody hears of is worse
      console.error(`sluice: ${name} failed:`, error);
    }
  }
}
