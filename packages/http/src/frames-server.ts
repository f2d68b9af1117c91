// A session in binary frames at the server (PROTOCOL.md, P): one response that lasts carries all that we send, POSTs
// bring what we receive. The session lasts as long as that response does.
import { TransportError, type Chunk, type Transport, type TransportEvents } from "@sluice/transport";
import { Delivery } from "./delivery.ts";
import { Intake } from "./intake.ts";
import { mediaType } from "./media.ts";
import { FRAMES_TYPE } from "./options.ts";
import { RecordBody } from "./record-body.ts";
import { refusal } from "./refusal.ts";
import type { Opening, ServerSession, SessionContext } from "./server-session.ts";

/** Opens a session for a POST that wants frames. */
export function openFrames(request: Request, context: SessionContext): Opening {
  const session = new FramesServer(request, context);
  return { session, response: Promise.resolve(session.response) };
}

class FramesServer implements ServerSession, Transport {
  readonly transport: Transport = this;
  readonly unit = "bytes";
  readonly encoding = "frames";
  readonly label = "HTTP client";
  readonly response: Response;
  readonly #context: SessionContext;
  readonly #delivery: Delivery;
  readonly #down: RecordBody;
  readonly #up: Intake;
  #life: "open" | "over" = "open";
  #sending: "open" | "ended" = "open";

  constructor(request: Request, context: SessionContext) {
    this.#context = context;
    this.#delivery = new Delivery(this.label, {
      onEndTold: () => this.#settle(),
      onThrow: (error) => this.abort(error),
    });
    this.#up = new Intake(this.#delivery, context.limits.bodyTime, (error) => this.abort(error));
    this.#down = new RecordBody(
      {
        onDrain: () => this.#delivery.drain(),
        onEnded: () => {
          this.#sending = "ended";
          this.#settle();
        },
        onCancel: () => this.#lost(),
      },
      context.limits,
    );
    // Some runtimes tell only one of the two. After success the signal means nothing: Deno aborts it then, too.
    if (request.signal.aborted) queueMicrotask(() => this.#lost());
    else request.signal.addEventListener("abort", () => this.#lost(), { once: true });
    this.response = new Response(this.#down.stream, {
      headers: {
        "Content-Type": FRAMES_TYPE,
        "Cache-Control": "no-store",
        "X-Accel-Buffering": "no",
        [context.headers.session]: context.id,
      },
    });
    void this.#up.begin(request);
  }

  get open(): number {
    return this.#up.open + (this.#life === "open" && this.#sending === "open" ? 1 : 0);
  }

  async handle(request: Request): Promise<Response> {
    if (request.method === "DELETE") {
      this.abort(new TransportError("closed", "the client ended the session by DELETE"));
      return new Response(null, { status: 204 });
    }
    if (request.method !== "POST")
      return refusal(405, "a session in frames takes POST and DELETE", {
        headers: { Allow: "POST, DELETE" },
      });
    if (mediaType(request.headers.get("content-type")).type !== FRAMES_TYPE)
      return refusal(415, `this session speaks ${FRAMES_TYPE}`);
    const offset = request.headers.get("sluice-offset");
    if (offset === null || !/^\d{1,15}$/.test(offset))
      return refusal(400, "P3: a POST has a Sluice-Offset, in decimal digits");
    return this.#up.take(request, Number(offset));
  }

  start(events: TransportEvents): void {
    this.#delivery.start(events);
  }

  write(chunks: readonly Chunk[]): boolean {
    return this.#down.write(onlyBytes(chunks));
  }

  pause(): void {
    this.#delivery.pause();
  }

  resume(): void {
    this.#delivery.resume();
  }

  close(): void {
    this.#down.end();
  }

  abort(error?: TransportError): void {
    if (this.#life === "over") return;
    this.#down.cut();
    this.#finish(error);
  }

  #lost(): void {
    if (this.#sending === "open")
      this.abort(
        new TransportError("closed", "the HTTP client is gone: its response was cut before its end"),
      );
  }

  /** Both directions have ended. */
  #settle(): void {
    if (this.#life === "open" && this.#sending === "ended" && this.#delivery.complete) this.#finish();
  }

  #finish(error?: TransportError): void {
    this.#life = "over";
    this.#delivery.close(error);
    this.#up.stop();
    this.#context.ended();
  }
}

/** Refuses text, as any transport of bytes does. */
export function onlyBytes(chunks: readonly Chunk[]): readonly Uint8Array[] {
  for (const chunk of chunks) {
    if (typeof chunk === "string")
      throw new TypeError("this transport carries bytes: encode text before writing it");
  }
  return chunks as readonly Uint8Array[];
}
