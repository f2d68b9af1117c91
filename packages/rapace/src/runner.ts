// Runs the peer's requests: gives them to the dispatcher and answers with what comes of it.
import { CancelledError } from "@sluice/core";
import { isChunks, pump, type Chunks } from "./chunks.ts";
import { ErrorCode, forPeer, RapaceError } from "./error.ts";
import { ItemStream } from "./item-stream.ts";
import type { ReadPolicy } from "./reader.ts";
import type { Request } from "./requests.ts";
import type { RpcSession } from "./rpc-session.ts";

/** What a dispatcher is given. */
export interface IncomingRequest {
  /** A method's number: see `methodId`. */
  readonly method: number;
  readonly payload: Uint8Array;
  /** 0: a notification. */
  readonly channel: number;
  /** Whether the peer wants no single answer: it waits for a stream, or on channel 0 for nothing. */
  readonly noReply: boolean;
  /** For calls the other way. */
  readonly session: RpcSession;
  /** Aborts when the peer cancels, and when the session ends. Made when first looked at. */
  readonly signal: AbortSignal;
  /** What the peer sends behind the request on its channel; over once the request is answered. Ask for it once. */
  body(policy?: ReadPolicy): ItemStream;
}

/** Bytes, nothing, or the items of a stream. */
export type Answer = Uint8Array | undefined | Chunks;

/**
 * Answers a request. What it returns is the answer (undefined as no bytes), what it throws the error: a `RapaceError`
 * as it is, anything else as `internal` without its text. Items answer a request that wants a stream; for one that wants
 * a single answer they are `InvalidArgument`. Of a notification nothing is answered.
 */
export type Dispatcher = (request: IncomingRequest) => Answer | PromiseLike<Answer>;

export interface RunnerOptions {
  readonly session: () => RpcSession;
  readonly dialect: "0.5" | "0.2";
  /** Bytes of the largest item. */
  readonly largest: () => number;
  /** Told what a dispatcher threw that is no `RapaceError`. */
  readonly onHandlerError: (error: unknown, method: number) => void;
}

export class Runner {
  dispatcher: Dispatcher | undefined;
  readonly #options: RunnerOptions;

  constructor(options: RunnerOptions, dispatcher: Dispatcher | undefined) {
    this.#options = options;
    this.dispatcher = dispatcher;
  }

  readonly run = (request: Request): void => {
    const { dispatcher } = this;
    if (dispatcher === undefined)
      return void request.fail(new RapaceError(ErrorCode.unimplemented, "no dispatcher is set"));
    try {
      const answer = dispatcher(new Context(request, this.#options.session()));
      if (isThenable(answer))
        answer.then(
          (value) => this.#answer(request, value),
          (error: unknown) => this.#fail(request, error),
        );
      else this.#answer(request, answer);
    } catch (error) {
      this.#fail(request, error);
    }
  };

  #answer(request: Request, answer: Answer): void {
    if (answer === undefined) request.succeed(NOTHING);
    else if (answer instanceof Uint8Array) request.succeed(answer);
    else if (isChunks(answer)) void this.#stream(request, answer);
    else this.#fail(request, new TypeError("a dispatcher answers with a Uint8Array, nothing, or chunks"));
  }

  async #stream(request: Request, answer: Chunks): Promise<void> {
    try {
      if (request.state === "running") {
        if (request.channel === 0) throw new TypeError("a notification cannot be answered by a stream");
        if (!request.noReply && this.#options.dialect === "0.5")
          throw new RapaceError(ErrorCode.invalidArgument, "streaming request missing NO_REPLY flag");
        const writer = request.stream();
        try {
          await pump(answer, writer, this.#options.largest());
        } catch (error) {
          this.#report(request, error);
          writer.reset(error instanceof Error ? error : new Error(String(error)), forPeer(error));
        }
        request.succeed(NOTHING);
        return;
      }
    } catch (error) {
      this.#fail(request, error);
    }
    await letGo(answer);
    request.succeed(NOTHING); // it was cancelled: nothing is said
  }

  #fail(request: Request, error: unknown): void {
    this.#report(request, error);
    request.fail(forPeer(error));
  }

  // A handler that gave up because the peer cancelled says nothing new.
  #report(request: Request, error: unknown): void {
    if (error instanceof RapaceError || error instanceof CancelledError || request.cancelled !== undefined)
      return;
    this.#options.onHandlerError(error, request.method);
  }
}

const NOTHING = new Uint8Array(0);

async function letGo(answer: Chunks): Promise<void> {
  try {
    if (answer instanceof ReadableStream) await answer.cancel();
    else await answer[Symbol.asyncIterator]().return?.();
  } catch {
    // it has nobody to tell
  }
}

class Context implements IncomingRequest {
  readonly session: RpcSession;
  readonly #request: Request;
  #abort: AbortController | undefined;

  constructor(request: Request, session: RpcSession) {
    this.#request = request;
    this.session = session;
  }

  get method(): number {
    return this.#request.method;
  }
  get payload(): Uint8Array {
    return this.#request.payload;
  }
  get channel(): number {
    return this.#request.channel;
  }
  get noReply(): boolean {
    return this.#request.noReply;
  }

  get signal(): AbortSignal {
    if (this.#abort !== undefined) return this.#abort.signal;
    const abort = new AbortController();
    this.#abort = abort;
    const { cancelled } = this.#request;
    if (cancelled !== undefined) abort.abort(cancelled);
    else this.#request.onCancel = (reason): void => abort.abort(reason);
    return abort.signal;
  }

  body(policy: ReadPolicy = {}): ItemStream {
    return new ItemStream(this.#request.body(policy));
  }
}

function isThenable(value: unknown): value is PromiseLike<Answer> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === "function";
}
