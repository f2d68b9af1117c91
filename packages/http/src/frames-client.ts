// A session in binary frames at the client (PROTOCOL.md, P). The response to the opening POST is the downward direction
// and lasts as long as the session; the upward one is an `Upload`.
import { TransportError, type Chunk, type Transport, type TransportEvents } from "@sluice/transport";
import { BodyReader } from "./body-reader.ts";
import { Delivery } from "./delivery.ts";
import { onlyBytes } from "./frames-server.ts";
import { headerNames } from "./header-names.ts";
import { DIAL_LIMITS, type DialLimits } from "./limits.ts";
import { mediaType } from "./media.ts";
import { FRAMES_TYPE, type DialOptions } from "./options.ts";
import { Posts } from "./posts.ts";
import { RecordDecoder } from "./records.ts";
import { Requests } from "./requests.ts";
import { StreamedPost } from "./streamed-post.ts";
import type { Upload } from "./upload.ts";

/** A transport to a server that speaks frames. It connects when it is started. */
export function dialFrames(url: URL, options: DialOptions): Transport {
  return new FramesClient(url, options);
}

class FramesClient implements Transport {
  readonly unit = "bytes";
  readonly encoding = "frames";
  readonly label: string;
  readonly #sessionHeader: string;
  readonly #limits: DialLimits;
  readonly #requests: Requests;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort: () => void;
  readonly #delivery: Delivery;
  readonly #upload: Upload;
  readonly #opening = new AbortController();
  #session: string | undefined;
  #down: BodyReader | undefined;
  #life: "open" | "over" = "open";
  #sending: "open" | "ended" = "open";

  constructor(url: URL, options: DialOptions) {
    this.label = `${url.origin}${url.pathname}`;
    this.#sessionHeader = headerNames(options).session;
    this.#limits = { ...DIAL_LIMITS, ...options.limits };
    this.#requests = new Requests(url, options);
    this.#delivery = new Delivery(this.label, {
      onEndTold: () => this.#settle(),
      onThrow: (error) => this.abort(error),
    });
    this.#upload = this.#uploadFor(options);
    this.#signal = options.signal;
    this.#onAbort = () =>
      this.abort(
        new TransportError("aborted", "the signal given to dial was aborted", {
          cause: this.#signal?.reason,
        }),
      );
    if (this.#signal?.aborted === true) this.#onAbort();
    else this.#signal?.addEventListener("abort", this.#onAbort);
  }

  start(events: TransportEvents): void {
    this.#delivery.start(events);
    // After this turn, so that what it writes can go with the opening request.
    queueMicrotask(() => void this.#open());
  }

  write(chunks: readonly Chunk[]): boolean {
    return this.#upload.write(onlyBytes(chunks));
  }

  pause(): void {
    this.#delivery.pause();
  }

  resume(): void {
    this.#delivery.resume();
  }

  close(): void {
    this.#upload.end();
  }

  abort(error?: TransportError): void {
    if (this.#life === "over") return;
    this.#finish(error);
    this.#opening.abort();
    this.#down?.cancel();
    if (this.#session !== undefined && error?.code !== "unknown-session") void this.#delete(this.#session);
  }

  async #open(): Promise<void> {
    if (this.#life === "over") return;
    let response: Response;
    try {
      const body = this.#upload.first() ?? null;
      response = await this.#requests.send(
        { method: "POST", body, signal: this.#opening.signal },
        { "Content-Type": FRAMES_TYPE, Accept: FRAMES_TYPE },
      );
    } catch (cause) {
      return this.abort(
        new TransportError("connect", `connecting to ${this.label} failed${reasonOf(cause)}`, { cause }),
      );
    }
    const session = response.headers.get(this.#sessionHeader);
    const { type } = mediaType(response.headers.get("content-type"));
    if (this.#delivery.over || response.status !== 200 || type !== FRAMES_TYPE || session === null) {
      response.body?.cancel().catch(() => {});
      return this.abort(this.#refused("connect", response.status));
    }
    this.#session = session;
    this.#upload.begin();
    await this.#read(new BodyReader(response.body));
  }

  async #read(body: BodyReader): Promise<void> {
    this.#down = body;
    const decoder = new RecordDecoder();
    while (decoder.state !== "ended") {
      await this.#delivery.ready();
      const read = await body.next(this.#limits.silence);
      if (this.#life === "over" || read.kind === "stopped") return;
      if (read.kind === "late")
        return this.#fail("timeout", `said nothing for ${this.#limits.silence} ms (P4)`);
      if (read.kind === "cut") return this.#fail("read", `was cut${reasonOf(read.cause)}`, read.cause);
      if (read.kind === "done") return this.#fail("closed", "was closed before its end (P1)");
      for (const slice of decoder.decode(read.bytes)) this.#delivery.push(slice);
      if (decoder.state === "broken") return this.#fail("protocol", `broke a rule: ${decoder.problem}`);
    }
    // Nothing comes after the end: whatever keeps the body open, we do not wait for it.
    body.cancel();
    this.#delivery.end();
  }

  #uploadFor(options: DialOptions): Upload {
    const owner = {
      post: (body: BodyInit, offset: number, signal: AbortSignal) =>
        this.#requests.send(
          // `duplex` is what a body that is a stream must be sent with; the types of the DOM do not have it yet.
          { method: "POST", body, signal, ...(body instanceof ReadableStream ? { duplex: "half" } : {}) },
          {
            "Content-Type": FRAMES_TYPE,
            "Sluice-Offset": String(offset),
            [this.#sessionHeader]: this.#session ?? "",
          },
        ),
      refused: (response: Response) => this.#refused("write", response.status),
      failed: (cause: unknown) =>
        new TransportError("write", `sending to ${this.label} failed${reasonOf(cause)}`, { cause }),
      onDrain: () => this.#delivery.drain(),
      onEnded: () => {
        this.#sending = "ended";
        this.#settle();
      },
      onFailure: (error: TransportError) => this.abort(error),
    };
    const highWater = options.highWater ?? 1024 * 1024;
    return options.upload === "stream"
      ? new StreamedPost(owner, highWater)
      : new Posts(owner, { highWater, post: this.#limits.post, retries: this.#limits.retries });
  }

  #fail(code: "read" | "closed" | "timeout" | "protocol", what: string, cause?: unknown): void {
    this.abort(new TransportError(code, `the response of ${this.label} ${what}`, { cause }));
  }

  #refused(code: "connect" | "write", status: number): TransportError {
    if (status === 404 && this.#session !== undefined)
      return new TransportError("unknown-session", `${this.label} does not know the session: open a new one`);
    const hint = HINTS[status] ?? (status < 300 || status > 399 ? "" : ": dial what it redirects to");
    const answer = status === 200 ? "without a session in frames" : `with status ${status}`;
    return new TransportError(code, `${this.label} answered ${answer}${hint}`);
  }

  async #delete(session: string): Promise<void> {
    try {
      const signal = AbortSignal.timeout(this.#limits.grace);
      const headers = { [this.#sessionHeader]: session };
      const response = await this.#requests.send({ method: "DELETE", keepalive: true, signal }, headers);
      await response.body?.cancel();
    } catch {
      // The server notices by itself: its response was cut.
    }
  }

  #settle(): void {
    if (this.#life === "open" && this.#sending === "ended" && this.#delivery.complete) this.#finish();
  }

  #finish(error?: TransportError): void {
    this.#life = "over";
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#upload.stop();
    this.#delivery.close(error);
  }
}

const HINTS: Readonly<Record<number, string>> = {
  0: ": dial what it redirects to",
  200: ": is it a Sluice server speaking frames?",
  401: ": give what it asks for in the option headers",
  403: ": it serves other hosts or origins, see its options hosts and origins",
  404: ": is the path right?",
  405: ": is it a Sluice server speaking frames?",
  406: ": is it a Sluice server speaking frames?",
  409: ": another client sends in this session",
  415: ": is it a Sluice server speaking frames?",
  503: ": it has all the sessions it takes; try again later",
};

/** The reason in a runtime's own words, which may hide behind a bare "fetch failed". */
function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return "";
  const inner = cause.cause instanceof Error ? cause.cause.message : "";
  return `: ${inner === "" ? cause.message : inner}`;
}
