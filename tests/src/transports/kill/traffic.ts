// What is under way when one end is killed: calls and streams that never end by themselves, both ways. So whatever ends
// without an error was cut off in silence, and whatever does not end at all waits for a peer that is gone.
import { assertNoLeaks, ErrorCode, type Handler, type HandlerContext, type Session } from "@sluice/session";

const CHUNK = 16 * 1024;
const PERIOD = 251;

/** Long enough to have a chunk begin at any place of the period. */
const noise: Uint8Array = Uint8Array.from({ length: CHUNK + PERIOD }, (_, at) => ((at % PERIOD) * 7) & 0xff);

/** Longer than any process here may take to end: a timer that is left behind shows. */
export const LIMITS = { greeting: 60_000, grace: 60_000, close: 60_000 };

/** ms in which everything has to have failed once its session is over. */
const BOUND = 5000;

/** What one end saw of one session's end. */
export interface Report {
  /** How the session ended, such as `lost by transport`; `not opened` where it never began. */
  readonly end: string;
  readonly message: string;
  /** Each is a rule that was broken. */
  readonly wrong: readonly string[];
}

/** The calls and streams of one end of one session. */
export class Traffic {
  readonly handlers: Readonly<Record<string, Handler>>;
  readonly #wrong: string[] = [];
  /** What runs, by name. */
  readonly #running = new Map<string, number>();
  #quiet: () => void = () => {};

  constructor() {
    this.handlers = {
      add: ({ a, b }: { a: number; b: number }) => a + b,
      never: (_: unknown, { signal }: HandlerContext) =>
        this.#during("a handler that waits", () => aborted(signal)),
      sink: ({ body }: { body: ReadableStream<Uint8Array> }) =>
        this.#during("a handler that reads", () => this.#read(body)),
      echo: ({ body }: { body: ReadableStream<Uint8Array> }) => body,
      flood: () => this.#endless(),
      count: () => this.#numbers(),
    };
  }

  /** Begins everything this end does. */
  begin(session: Session): void {
    for (let i = 0; i < 3; i++) this.#fails("a call that waits", () => session.call("never"));
    this.#fails("calls one after the other", () => this.#adds(session));
    this.#fails("a stream of bytes that is read", async () =>
      this.#read(await session.call<ReadableStream<Uint8Array>>("flood")),
    );
    this.#fails("a stream of items that is read", async () =>
      this.#count(await session.call<AsyncIterable<number>>("count")),
    );
    this.#fails("a stream of bytes that is written", () => session.call("sink", { body: this.#endless() }));
    this.#fails("a stream there and back", async () =>
      this.#read(await session.call<ReadableStream<Uint8Array>>("echo", { body: this.#endless() })),
    );
  }

  /** Waits for the session's end and judges it. */
  async judge(session: Session): Promise<Report> {
    const { code, by, message } = await session.closed;
    await this.#settled();
    for (const [what, count] of this.#running) this.#wrong.push(`${count} × ${what} did not end`);
    try {
      assertNoLeaks(session);
    } catch (error) {
      this.#wrong.push((error as Error).message);
    }
    return { end: `${code} by ${by}`, message, wrong: this.#wrong };
  }

  /** Resolves when nothing runs any more, or it took too long. */
  async #settled(): Promise<void> {
    if (this.#running.size === 0) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      this.#quiet = resolve;
      timer = setTimeout(resolve, BOUND);
    });
    clearTimeout(timer);
  }

  async #during<T>(what: string, act: () => Promise<T>): Promise<T> {
    this.#began(what);
    try {
      return await act();
    } finally {
      this.#ended(what);
    }
  }

  #began(what: string): void {
    this.#running.set(what, (this.#running.get(what) ?? 0) + 1);
  }

  #ended(what: string): void {
    const left = (this.#running.get(what) ?? 0) - 1;
    if (left > 0) this.#running.set(what, left);
    else this.#running.delete(what);
    if (this.#running.size === 0) this.#quiet();
  }

  #fails(what: string, act: () => Promise<unknown>): void {
    void this.#during(what, act).then(
      () => this.#wrong.push(`${what} ended as if nothing had happened`),
      (error: unknown) => {
        if (!isEnding(error)) this.#wrong.push(`${what} failed with ${String(error)}`);
      },
    );
  }

  async #adds(session: Session): Promise<never> {
    for (let a = 0; ; a++) {
      const sum = await session.call<number>("add", { a, b: 1 });
      if (sum !== a + 1) throw new RangeError(`${a} + 1 was answered ${sum}`);
    }
  }

  async #read(body: AsyncIterable<Uint8Array>): Promise<void> {
    let offset = 0;
    for await (const chunk of body) {
      for (let at = 0; at < chunk.length; at++)
        if (chunk[at] !== noise[(offset + at) % PERIOD])
          throw new RangeError(`a wrong byte at ${offset + at}`);
      offset += chunk.length;
    }
  }

  async #count(items: AsyncIterable<number>): Promise<void> {
    let expected = 0;
    for await (const item of items)
      if (item !== expected++) throw new RangeError(`item ${expected - 1} was ${item}`);
  }

  #endless(): ReadableStream<Uint8Array> {
    let offset = 0;
    this.#began("a stream of bytes that is made");
    return new ReadableStream({
      pull: (controller) => {
        controller.enqueue(noise.slice(offset % PERIOD, (offset % PERIOD) + CHUNK));
        offset += CHUNK;
      },
      cancel: () => this.#ended("a stream of bytes that is made"),
    });
  }

  async *#numbers(): AsyncGenerator<number> {
    this.#began("a stream of items that is made");
    try {
      for (let n = 0; ; n++) yield n;
    } finally {
      this.#ended("a stream of items that is made");
    }
  }
}

/** What calls and streams fail with when a session ends; over the mcp wire each request notices by itself (-32001). */
function isEnding(error: unknown): boolean {
  const { _tag, code } = error as { _tag?: string; code?: unknown };
  if (_tag === "RpcError") return code === ErrorCode.closed || code === ErrorCode.draining;
  return _tag === "SessionError" || _tag === "StreamError";
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = (): void => reject(signal.reason as Error);
    if (signal.aborted) fail();
    else signal.addEventListener("abort", fail, { once: true });
  });
}

/** Nothing was opened: the transport or the greeting failed. */
export function neverOpened(error: unknown): Report {
  const { _tag, code, message } = error as { _tag?: string; code?: string; message: string };
  const known = _tag === "TransportError" || (_tag === "SessionError" && code === "lost");
  return { end: "not opened", message, wrong: known ? [] : [`opening failed with ${String(error)}`] };
}
