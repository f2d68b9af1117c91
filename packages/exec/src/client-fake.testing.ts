import { readAll } from "./bytes.testing.ts";
import { toBase64 } from "@sluice/codec";
import { codex, RpcError, serve, type Handler, type Session } from "@sluice/session";
import { memoryPair, type Transport } from "@sluice/transport";
import { connect, type ConnectOptions, type ExecClient } from "./client.ts";

/** A call the client has made. */
export interface Seen {
  readonly method: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- params of any method, which the test that sent them knows
  readonly params: any;
}

/** One connection of a client's, at the executor. */
export interface FakeConnection {
  readonly session: Session;
  /** Breaks off, without a word. */
  cut(): void;
}

/** An executor that does as it is told: a codex exec-server's wire, and what each test answers. */
export class FakeExecutor {
  /** By method. What a test puts here counts from the next call on. */
  readonly handlers: Record<string, Handler> = {
    initialize: (params: { resumeSessionId?: string }) => ({
      sessionId: params.resumeSessionId ?? "session-1",
      environmentInfo: {
        shell: { name: "sh", path: "/bin/sh" },
        cwd: "file:///work",
        capabilities: this.capabilities,
      },
    }),
    "process/start": ({ processId }: { processId: string }) => ({ processId }),
    "process/read": () => read(),
    "process/write": () => ({ status: "accepted" }),
    "process/terminate": () => ({ running: true }),
  };
  capabilities: Record<string, unknown> = {};
  /** Calls and notifications, in their order. */
  readonly seen: Seen[] = [];
  readonly #connections: FakeConnection[] = [];
  #waiting: ((connection: FakeConnection) => void)[] = [];

  /** Dials it. */
  readonly dial = (unit: unknown = "bytes"): Transport => {
    const [left, right] = memoryPair({ unit: unit === "messages" ? unit : "bytes" });
    void this.#accept(right);
    return left;
  };

  /** The last connection. */
  get connection(): FakeConnection {
    return this.#connections.at(-1)!;
  }
  get connections(): number {
    return this.#connections.length;
  }

  /** The next connection there will be. */
  next(): Promise<FakeConnection> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** What the client has sent of this method. */
  of(method: string): Seen[] {
    return this.seen.filter((one) => one.method === method);
  }

  /** The first call of `method` to come, which is answered by what `answer` returns. */
  expect(method: string, answer: Handler): Promise<Seen["params"]> {
    return new Promise((resolve) => {
      this.handlers[method] = (params: unknown, context): unknown => {
        resolve(params);
        return answer(params, context);
      };
    });
  }

  output(processId: string, seq: number, text: string, stream: string = "stdout"): Promise<void> {
    return this.connection.session.notify("process/output", { processId, seq, stream, chunk: base64(text) });
  }
  exited(processId: string, seq: number, exitCode: number = 0): Promise<void> {
    return this.connection.session.notify("process/exited", {
      processId,
      seq,
      exitCode,
      sandboxDenied: false,
    });
  }
  closed(processId: string, seq: number): Promise<void> {
    return this.connection.session.notify("process/closed", { processId, seq });
  }

  /** Settles when the client has taken all that was sent before. */
  async settled(): Promise<void> {
    await this.connection.session.call("network/policyRequest", {
      processId: "none",
      request: { protocol: "http", host: "localhost", port: 1 },
    });
  }

  async #accept(transport: Transport): Promise<void> {
    const fallback: Handler = (params, context) => {
      const { method } = context;
      this.seen.push({ method, params });
      const handler = this.handlers[method];
      if (handler === undefined) throw notImplemented(method);
      return handler(params, context);
    };
    const session = await serve(transport, {
      dialect: codex,
      limits: { grace: 10, message: 64 * 1024 * 1024 },
      fallback,
      fallbackNotification: (params, { method }) => void this.seen.push({ method, params }),
      onHandlerError: () => {},
    });
    const connection = { session, cut: () => transport.abort() };
    this.#connections.push(connection);
    for (const resolve of this.#waiting.splice(0)) resolve(connection);
  }
}

function notImplemented(method: string): Error {
  return new RpcError(-32601, `exec-server stub does not implement \`${method}\` yet`);
}

/** A client of it whose connection is dialled again when it is lost. */
export function connectTo(fake: FakeExecutor, options: ConnectOptions = {}): Promise<ExecClient> {
  return connect(fake.dial, { ...options, recovery: { delay: 1, ...options.recovery } });
}

/** An answer to `process/read`. */
export function read(
  chunks: readonly (readonly [seq: number, text: string, stream?: string])[] = [],
  rest: object = {},
): object {
  const last = chunks.at(-1)?.[0] ?? 0;
  return {
    chunks: chunks.map(([seq, text, stream = "stdout"]) => ({ seq, stream, chunk: base64(text) })),
    nextSeq: last + 1,
    exited: false,
    exitCode: null,
    closed: false,
    failure: null,
    sandboxDenied: false,
    ...rest,
  };
}

export function base64(text: string): string {
  return toBase64(new TextEncoder().encode(text));
}

export function text(stream: ReadableStream<Uint8Array>): Promise<string> {
  return readAll(stream);
}

/** What a promise was rejected with. Rejects where it was not. */
export async function rejection<E extends Error>(promise: Promise<unknown>): Promise<E> {
  const settled = await promise.then(
    () => undefined,
    (error: unknown) => error as E,
  );
  if (settled === undefined) throw new Error("it was not rejected");
  return settled;
}
