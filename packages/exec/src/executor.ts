// The executor: runs what the other ends of its connections ask for.
import type { Transport } from "@sluice/transport";
import { systemClock, type Clock } from "./executor-clock.ts";
import { Connection } from "./executor-connection.ts";
import { executorLimits, type ExecutorLimits } from "./executor-limits.ts";
import { Sessions } from "./executor-sessions.ts";
import type { HttpClient } from "./http-client.ts";
import { localClient } from "./local.ts";

export type { Clock } from "./executor-clock.ts";
export { EXECUTOR_LIMITS, type ExecutorLimits } from "./executor-limits.ts";

export interface ExecutorOptions {
  /** Every bound there is, see `EXECUTOR_LIMITS`. */
  readonly limits?: Partial<ExecutorLimits>;
  /**
   * What makes the peers' requests. Default: this program, to public addresses alone. To reach others, give a
   * `localClient` whose policy allows them.
   */
  readonly http?: HttpClient;
  /** What it waits by. Default: the runtime's timers. */
  readonly clock?: Clock;
  /** Told of what failed here and is no answer to the peer. Default: console.error. */
  readonly onHandlerError?: (error: unknown, method: string) => void;
}

/** What an executor holds. All zero once it is closed. */
export interface ExecutorStats {
  readonly connections: number;
  /** Those that wait to be resumed among them. */
  readonly sessions: number;
  /** Those that have ended and are still remembered among them. */
  readonly processes: number;
  /** Files that are open. */
  readonly handles: number;
  /** HTTP requests and bodies under way. */
  readonly requests: number;
}

/** Processes, files and HTTP requests for whoever connects. Whoever does can do all that this program's user can. */
export interface Executor extends AsyncDisposable {
  /**
   * Serves one connection until it ends. Never throws; a transport that fails is released, and one that is too many or
   * comes after `close` is closed at once. `onOver` is called when it is over and its transport released.
   */
  accept(transport: Transport, onOver?: () => void): void;
  /** Closes every connection, and kills every process with its group. Settles when all are gone. May be called again. */
  close(reason?: string): Promise<void>;
  stats(): ExecutorStats;
}

/** @throws RangeError that names the limit which is not a number above 0. */
export function createExecutor(options: ExecutorOptions = {}): Executor {
  return new LocalExecutor(options);
}

class LocalExecutor implements Executor {
  readonly #options: ExecutorOptions;
  readonly #limits: ExecutorLimits;
  readonly #sessions: Sessions;
  readonly #connections: Set<Connection> = new Set();
  readonly #http: HttpClient;
  /** Lets go of a client of our own. */
  readonly #release: () => void;
  #closing: Promise<void> | undefined;

  constructor(options: ExecutorOptions) {
    this.#options = options;
    this.#limits = executorLimits(options.limits);
    this.#sessions = new Sessions(this.#limits, options.clock ?? systemClock);
    if (options.http === undefined) {
      const own = localClient({ policy: {} });
      this.#http = own;
      this.#release = (): void => own[Symbol.dispose]();
    } else {
      this.#http = options.http;
      this.#release = (): void => {};
    }
  }

  accept(transport: Transport, onOver: () => void = () => {}): void {
    if (this.#closing !== undefined) return turnAway(transport, "the executor is closed", onOver);
    if (this.#connections.size >= this.#limits.connections)
      return turnAway(transport, "too many connections: the limit is reached (limits.connections)", onOver);
    const connection = new Connection(transport, {
      limits: this.#limits,
      sessions: this.#sessions,
      http: this.#http,
      onHandlerError: this.#options.onHandlerError,
    });
    this.#connections.add(connection);
    void connection.over.then(() => {
      this.#connections.delete(connection);
      onOver();
    });
  }

  close(reason: string = "the executor is closing"): Promise<void> {
    return (this.#closing ??= this.#close(reason));
  }

  stats(): ExecutorStats {
    let [handles, requests] = [0, 0];
    for (const connection of this.#connections) {
      handles += connection.handles;
      requests += connection.requests;
    }
    return {
      connections: this.#connections.size,
      sessions: this.#sessions.size,
      processes: this.#sessions.processes,
      handles,
      requests,
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(reason: string): Promise<void> {
    const connections = [...this.#connections].map((connection) => connection.close(reason));
    await Promise.all([...connections, this.#sessions.close()]);
    // A call that was under way may have made one more.
    await this.#sessions.close();
    this.#release();
  }
}

function turnAway(transport: Transport, reason: string, onClose: () => void): void {
  try {
    transport.start({ onData() {}, onDrain() {}, onEnd() {}, onClose });
    transport.close(reason, "limit");
    transport.abort();
  } catch {
    // A transport that cannot even be started has nothing to be released.
  }
}
