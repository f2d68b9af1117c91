// What the tests of the executor share: a client that is only a session, and a clock that stands still.
import { codex, connect, RpcError, type Session } from "@sluice/session";
import { memoryPair, type Transport } from "@sluice/transport";
import type { Clock } from "./executor-clock.ts";
import type { Executor } from "./executor.ts";

/** `codex` never greets, as the real one; `auto` does. */
export type Wire = "codex" | "auto";

// oxlint-disable-next-line typescript/no-explicit-any -- what the wire says is for the test to judge
type Said = any;

/** A notification that came. */
export interface Told {
  readonly method: string;
  readonly params: Said;
}

export class Peer {
  readonly told: Told[] = [];
  readonly transport: Transport;
  session!: Session;
  #waiting: (() => void)[] = [];

  private constructor(transport: Transport) {
    this.transport = transport;
  }

  static async open(transport: Transport, wire: Wire = "auto"): Promise<Peer> {
    const peer = new Peer(transport);
    const record = (method: string) => (params: unknown) => peer.#record({ method, params });
    const methods = ["process/output", "process/exited", "process/closed", "http/request/bodyDelta"];
    peer.session = await connect(transport, {
      dialect: { ...codex, greets: wire === "auto" },
      limits: { message: 64 * 1024 * 1024 },
      notifications: Object.fromEntries(methods.map((method) => [method, record(method)])),
      // Order matters here: what is told is told one after the other.
      order: "serial",
    });
    return peer;
  }

  call(method: string, params: unknown = {}, signal?: AbortSignal): Promise<Said> {
    return this.session.call(method, params, signal === undefined ? {} : { signal });
  }

  /** Code and text of the error that a call is answered with. */
  async refusal(method: string, params: unknown = {}): Promise<[number, string]> {
    const answer = await this.call(method, params).catch((error: unknown) => error);
    if (!(answer instanceof RpcError)) throw new Error(`${method} was not refused`, { cause: answer });
    return [answer.code, answer.message];
  }

  /** Greets as clients do; the session's id. */
  async initialize(resumeSessionId?: string): Promise<string> {
    const { sessionId } = await this.call("initialize", { clientName: "test", resumeSessionId });
    await this.session.notify("initialized", {});
    return sessionId;
  }

  /** The first that was told and fits, now or later. */
  async hears(
    method: string,
    fits: (params: Told["params"]) => boolean = () => true,
  ): Promise<Told["params"]> {
    for (;;) {
      const found = this.told.find((one) => one.method === method && fits(one.params));
      if (found !== undefined) return found.params;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** What a process has written to one of its streams, as it was told so far. */
  output(processId: string, stream = "stdout"): string {
    const bytes = this.told
      .filter(({ method, params }) => method === "process/output" && params.processId === processId)
      .filter(({ params }) => params.stream === stream)
      .map(({ params }) => Buffer.from(params.chunk, "base64"));
    return Buffer.concat(bytes).toString();
  }

  #record(told: Told): void {
    this.told.push(told);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

/** A client that has not greeted yet. */
export async function joined(executor: Executor, wire: Wire = "auto"): Promise<Peer> {
  const [left, right] = memoryPair();
  executor.accept(right);
  return Peer.open(left, wire);
}

/** A client that may ask everything. */
export async function ready(executor: Executor, wire: Wire = "auto"): Promise<Peer> {
  const peer = await joined(executor, wire);
  await peer.initialize();
  return peer;
}

/** Time passes when the test says so. */
export class TestClock implements Clock {
  #now = 0;
  #tasks: { readonly at: number; readonly task: () => void }[] = [];

  get waiting(): number {
    return this.#tasks.length;
  }

  after(ms: number, task: () => void): () => void {
    const entry = { at: this.#now + ms, task };
    this.#tasks.push(entry);
    return () => void (this.#tasks = this.#tasks.filter((other) => other !== entry));
  }

  pass(ms: number): void {
    this.#now += ms;
    const due = this.#tasks.filter(({ at }) => at <= this.#now);
    this.#tasks = this.#tasks.filter(({ at }) => at > this.#now);
    for (const { task } of due) task();
  }
}

/** Enough for `sh` to be found, and nothing of ours. */
export const ENV = { PATH: "/usr/local/bin:/usr/bin:/bin" };

/** The params of `process/start` that runs a line of shell. */
export function shell(processId: string, line: string, more: object = {}): object {
  return { processId, argv: ["sh", "-c", line], cwd: "file:///", env: ENV, tty: false, ...more };
}

export function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

export function text(chunks: readonly { readonly chunk: string }[]): string {
  return Buffer.concat(chunks.map(({ chunk }) => Buffer.from(chunk, "base64"))).toString();
}

/** Whether there is a process of this number. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
