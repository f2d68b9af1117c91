// The processes a client has started: their ids, their notifications, and what becomes of them between two sessions.
import type { CallOptions, NotificationHandler, Session } from "@sluice/session";
import type { GenericSchema } from "valibot";
import { callError, ExecError } from "./client-error.ts";
import type { ClientLink } from "./client-link.ts";
import { fileUri, type FilePath } from "./client-path.ts";
import { decode, processClosed, processExited, processOutput } from "./client-wire.ts";
import { Process, type ProcessHost, type RemoteProcess } from "./remote-process.ts";
import type { ProcessEvent } from "./remote-process-sequence.ts";
import { unlessAborted } from "./unless-aborted.ts";

export interface StartOptions {
  /** The program and its arguments. No shell looks at them. */
  readonly argv: readonly string[];
  /** Default: the executor's own. */
  readonly cwd?: FilePath;
  /** All of its environment. Default: empty. */
  readonly env?: Readonly<Record<string, string>>;
  /** In a terminal of its own: its output comes by `output`, and it takes input. Default: no. */
  readonly tty?: boolean;
  /** Whether `write` reaches it. Default: no, its input is empty. */
  readonly pipeStdin?: boolean;
  /** What it is told that it was called by. Default: `argv[0]`. */
  readonly arg0?: string;
  /** Its id, for executors whose logs one reads. Default `process-1`, `process-2`, … */
  readonly id?: string;
  /** Gives it up until it is started; one that is started nevertheless is terminated. */
  readonly signal?: AbortSignal;
}

/** Processes at the executor. */
export interface RemoteProcesses {
  /** Settles when it runs. @throws ExecError, or the signal's reason. */
  start(options: StartOptions): Promise<RemoteProcess>;
}

type Limits = ProcessHost["limits"];

export class Processes implements RemoteProcesses {
  /** For every session. */
  readonly notifications: Readonly<Record<string, NotificationHandler>> = {
    "process/output": (params) =>
      this.#onEvent(processOutput, params, (told) => ({ kind: "output", ...told })),
    "process/exited": (params) =>
      this.#onEvent(processExited, params, (told) => ({ kind: "exited", ...told })),
    "process/closed": (params) =>
      this.#onEvent(processClosed, params, (told) => ({ kind: "closed", ...told })),
  };
  readonly #link: ClientLink;
  readonly #host: ProcessHost;
  readonly #live: Map<string, Process> = new Map();
  /** Started without an answer when their session was lost: nobody has them, so they must not run. */
  readonly #unknown: Set<string> = new Set();
  #ids = 0;
  #writes = 0;

  constructor(link: ClientLink, limits: Limits) {
    this.#link = link;
    this.#host = {
      limits,
      call: (method, params, options) => link.call(method, params, options),
      repeat: (method, params) => link.repeat(method, params),
      ready: async () => void (await link.session()),
      nextWriteId: () => `write-${++this.#writes}`,
      over: (process) => {
        if (this.#live.get(process.id) === process) this.#live.delete(process.id);
      },
    };
  }

  /** Those that run, or whose output has not all come. */
  get open(): number {
    return this.#live.size;
  }

  async start(options: StartOptions): Promise<RemoteProcess> {
    const params = this.#paramsOf(options);
    const id = params.processId;
    if (this.#live.has(id))
      throw new ExecError("invalid", "a process with this id runs already: choose another");
    const process = new Process(id, this.#host);
    this.#live.set(id, process);
    try {
      await this.#started(params, options);
      return process;
    } catch (error) {
      process.fail(error as Error);
      throw error;
    }
  }

  /** On a new session, before anything else is sent on it. */
  async resume(session: Session, signal: AbortSignal): Promise<void> {
    const call = async (method: string, params: unknown): Promise<unknown> => {
      try {
        return await session.call(method, params, { signal });
      } catch (error) {
        throw callError(error, method, { signal });
      }
    };
    await Promise.all([
      ...[...this.#unknown].map(async (processId) => {
        await call("process/terminate", { processId }).catch(unlessAnswered);
        this.#unknown.delete(processId);
      }),
      ...[...this.#live.values()].map((process) => process.resume((params) => call("process/read", params))),
    ]);
  }

  /** Asks for the end of all that run. Settles when all have been told, or `signal` aborts. */
  async terminate(signal: AbortSignal): Promise<void> {
    const call = ({ id }: Process): Promise<unknown> =>
      this.#link.call("process/terminate", { processId: id }, { signal }).catch(() => {});
    await Promise.all([...this.#live.values()].map(call));
  }

  /** The client is over. */
  over(reason: ExecError): void {
    for (const process of this.#live.values()) process.fail(reason);
  }

  /** Settles when it is started. One that is given up and started nevertheless is terminated. */
  async #started(params: { readonly processId: string }, { signal }: CallOptions): Promise<void> {
    signal?.throwIfAborted();
    const started = this.#link.call("process/start", params).catch((error: unknown) => {
      if (error instanceof ExecError && error.kind === "disconnected") this.#unknown.add(params.processId);
      throw error;
    });
    try {
      await unlessAborted(started, signal);
    } catch (error) {
      const terminate = (): Promise<unknown> =>
        this.#link.repeat("process/terminate", { processId: params.processId });
      if (signal?.aborted === true) started.then(terminate).catch(() => {}); // it was not started, or the client is over
      throw error;
    }
  }

  #paramsOf(options: StartOptions): { readonly processId: string } {
    const {
      argv,
      cwd = this.#link.environment?.cwd,
      env = {},
      tty = false,
      pipeStdin = false,
      arg0,
    } = options;
    if (argv.length === 0) throw new ExecError("invalid", "argv must not be empty");
    if (cwd === undefined || cwd === null)
      throw new ExecError("invalid", "cwd is needed: this executor does not tell its own");
    const { id = `process-${++this.#ids}` } = options;
    const processId = id;
    return { processId, argv, cwd: fileUri(cwd), env, tty, pipeStdin, arg0: arg0 ?? null } as {
      readonly processId: string;
    };
  }

  #onEvent<T>(schema: GenericSchema<unknown, T>, params: unknown, event: (told: T) => ProcessEvent): void {
    const id = (params as { readonly processId?: unknown } | null | undefined)?.processId;
    const process = typeof id === "string" ? this.#live.get(id) : undefined;
    if (process === undefined) return; // one we have let go of
    try {
      process.onEvent(event(decode(schema, params, "a notification of the process")));
    } catch (error) {
      process.giveUp(error as ExecError);
    }
  }
}

/** An executor that answers at all has been told. */
function unlessAnswered(error: unknown): void {
  if (!(error instanceof ExecError) || error.code === undefined) throw error;
}
