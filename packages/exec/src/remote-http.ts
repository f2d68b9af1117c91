// Requests made by the other end of a session. Where it greeted, bodies are streams of the session, with their own
// credit, both ways (PROTOCOL.md X1). Where it did not, the wire is the codex exec-server's: the request's body goes whole
// and the response's comes as deltas, which nobody can hold back.
import { fromBase64, toBase64 } from "@sluice/codec";
import type { NotificationHandler, Session } from "@sluice/session";
import { collect, joined, tooLarge } from "./collect.ts";
import { deltaBody, DeltaRoutes, DELTA_LIMITS, type DeltaLimits } from "./delta-routes.ts";
import { bodyError, deltaError, readResult, requestError } from "./http-answer.ts";
import type {
  BufferedResponse,
  HttpClient,
  HttpRequest,
  HttpResponse,
  StreamedResponse,
} from "./http-client.ts";
import { Deadlines } from "./http-deadlines.ts";
import { HttpError } from "./http-error.ts";
import { checkHeaders, checkMethod, parseUrl } from "./http-headers.ts";
import {
  BODY_DELTA,
  CANCEL_CAPABILITY,
  HTTP_CANCEL,
  HTTP_REQUEST,
  type HttpRequestParams,
  type HttpRequestResult,
} from "./http-wire.ts";
import { validTrace, withTrace } from "./http-trace.ts";
import type { Link } from "./link.ts";
import { guardedBody, sourceOf } from "./response-body.ts";
import { unlessAborted } from "./unless-aborted.ts";

export interface RemoteHttpLimits extends DeltaLimits {
  /** Bytes of a body that is kept whole: a response's by `request`, a request's that cannot be streamed. Default 64 MiB. */
  readonly maxBody: number;
}

export class RemoteHttp implements HttpClient {
  /** What the executor's deltas run. */
  readonly notifications: Readonly<Record<string, NotificationHandler>>;
  readonly #link: Link;
  readonly #limits: RemoteHttpLimits;
  readonly #routes: DeltaRoutes;
  #buffered = 0;
  #streams = 0;

  constructor(link: Link, limits: Partial<RemoteHttpLimits> = {}) {
    this.#link = link;
    this.#limits = { ...DELTA_LIMITS, maxBody: 64 * 1024 * 1024, ...limits };
    this.#routes = new DeltaRoutes(this.#limits, (id) => this.#cancelLater(id));
    this.notifications = { [BODY_DELTA]: (params: unknown) => this.#routes.delta(params) };
  }

  /** Bodies that are expected, or have not ended. */
  get open(): number {
    return this.#routes.open + this.#streams;
  }

  /** The session is gone: bodies that came over it fail. */
  lost(reason: Error): void {
    this.#routes.lose(reason);
  }

  async request(request: HttpRequest): Promise<BufferedResponse> {
    const { maxBody } = this.#limits;
    const response = await this.#send<StreamedResponse | Whole>(request, (session, deadlines) =>
      session.peer === undefined
        ? this.#whole(session, request, deadlines)
        : this.#streamed(session, request, deadlines),
    );
    return "whole" in response ? response.whole : collect(response, maxBody);
  }

  requestStream(request: HttpRequest): Promise<StreamedResponse> {
    return this.#send(request, (session, deadlines) =>
      session.peer === undefined
        ? this.#inDeltas(session, request, deadlines)
        : this.#streamed(session, request, deadlines),
    );
  }

  async #send<R>(
    request: HttpRequest,
    send: (session: Session, deadlines: Deadlines) => Promise<R>,
  ): Promise<R> {
    const { method = "GET", url, headers = [], body } = request;
    const deadlines = new Deadlines(request);
    try {
      checkMethod(method);
      parseUrl(url);
      checkHeaders(headers);
      const session = await unlessAborted(this.#link.session(), deadlines.signal);
      return await send(session, deadlines);
    } catch (error) {
      if (body instanceof ReadableStream && !body.locked) body.cancel(error).catch(() => {});
      throw deadlines.why(requestError(error), "http/request failed");
    }
  }

  /** The answer holds the body, as the codex exec-server's buffered requests do. */
  async #whole(session: Session, request: HttpRequest, deadlines: Deadlines): Promise<Whole> {
    const requestId = `buffered-${++this.#buffered}`;
    const result = await this.#call(session, request, deadlines, { requestId, streamResponse: false });
    deadlines.end();
    const body = fromBase64(result.bodyBase64);
    if (body === undefined) throw new HttpError("protocol", "the answer to http/request holds no base64");
    const { maxBody } = this.#limits;
    if (body.length > maxBody) throw tooLarge(maxBody);
    return { whole: { ...headOf(result, request), body } };
  }

  async #inDeltas(session: Session, request: HttpRequest, deadlines: Deadlines): Promise<StreamedResponse> {
    const requestId = this.#link.nextRequestId();
    const route = this.#routes.expect(requestId);
    try {
      const result = await this.#call(session, request, deadlines, { requestId, streamResponse: true });
      const deltas = deltaBody(route, () => this.#cancel(session, requestId));
      return responseOf(
        headOf(result, request),
        guardedBody(deltas, deadlines, (error) => deltaError(requestId, error)),
      );
    } catch (error) {
      route.stop();
      throw error;
    }
  }

  async #streamed(session: Session, request: HttpRequest, deadlines: Deadlines): Promise<StreamedResponse> {
    const requestId = this.#link.nextRequestId();
    const result = await this.#call(session, request, deadlines, { requestId, streamResponse: true });
    const { body } = result;
    if (body === undefined) throw new HttpError("protocol", "the answer to http/request holds no body (X1)");
    this.#streams++;
    const guarded = guardedBody(sourceOf(body), deadlines, bodyError, () => void this.#streams--);
    return responseOf(headOf(result, request), guarded);
  }

  async #call(
    session: Session,
    request: HttpRequest,
    { signal }: Deadlines,
    ids: Pick<HttpRequestParams, "requestId" | "streamResponse">,
  ): Promise<HttpRequestResult> {
    const body = await this.#body(session, request.body, signal);
    const giveUp = (): void => this.#cancel(session, ids.requestId);
    signal.addEventListener("abort", giveUp, { once: true });
    try {
      const greeted = session.peer !== undefined;
      const params = { ...paramsOf(request, greeted), ...body, ...ids };
      // X6. Codex has it elsewhere than a session puts it (C5), and takes headers as they are.
      const trace = greeted ? validTrace(request.trace) : undefined;
      return readResult(await session.call(HTTP_REQUEST, params, { signal, ...trace }));
    } finally {
      signal.removeEventListener("abort", giveUp);
    }
  }

  /** X1: a stream goes as one to who has streams, and so does what is large. */
  async #body(
    session: Session,
    body: HttpRequest["body"],
    signal: AbortSignal,
  ): Promise<Pick<HttpRequestParams, "body" | "bodyBase64">> {
    if (body === undefined) return {};
    if (session.peer === undefined) {
      const whole = body instanceof Uint8Array ? body : await readWhole(body, this.#limits.maxBody, signal);
      return { bodyBase64: toBase64(whole) };
    }
    if (!(body instanceof Uint8Array)) return { body };
    return body.length <= SMALL ? { bodyBase64: toBase64(body) } : { body: slices(body) };
  }

  /** X3. Nobody waits for it; an executor that does not have it is not asked. */
  #cancel(session: Session, requestId: string): void {
    if (session.error !== undefined || this.#link.capabilities[CANCEL_CAPABILITY] !== true) return;
    session.call(HTTP_CANCEL, { requestId }, { timeout: CANCEL_TIME }).catch(() => {});
  }

  #cancelLater(requestId: string): void {
    this.#link.session().then(
      (session) => this.#cancel(session, requestId),
      () => {}, // nobody is left to tell
    );
  }
}

/** A response that came with its body. */
interface Whole {
  readonly whole: BufferedResponse;
}

/** Bytes; a body up to this goes with its request. */
const SMALL = 64 * 1024;
/** ms */
const CANCEL_TIME = 5000;

function paramsOf(request: HttpRequest, greeted: boolean): Omit<HttpRequestParams, "requestId"> {
  const { method = "GET", url, redirect = "follow", timeouts = {}, trace } = request;
  const headers = greeted ? (request.headers ?? []) : withTrace(request.headers ?? [], trace);
  const { total, headers: headersMs, idle: idleMs } = timeouts;
  const own = { ...timeout("headersMs", headersMs), ...timeout("idleMs", idleMs) };
  return {
    method,
    url,
    headers: headers.map(([name, value]) => ({ name, value })),
    redirectPolicy: redirect,
    ...timeout("timeoutMs", total),
    ...(greeted && Object.keys(own).length > 0 && { timeouts: own }),
  };
}

/** In whole ms; what is beyond all numbers of the wire is none. */
function timeout(name: string, ms: number | undefined): Readonly<Record<string, number>> {
  return ms === undefined || ms > Number.MAX_SAFE_INTEGER ? {} : { [name]: Math.ceil(ms) };
}

function headOf(
  { status, statusText = "", headers, url }: HttpRequestResult,
  request: HttpRequest,
): HttpResponse {
  return {
    status,
    statusText,
    headers: headers.map(({ name, value }) => [name, value]),
    url: url ?? request.url.replace(/#.*$/s, ""),
  };
}

function responseOf(head: HttpResponse, body: ReadableStream<Uint8Array>): StreamedResponse {
  return { ...head, body, [Symbol.asyncDispose]: () => body.cancel() };
}

async function readWhole(
  body: ReadableStream<Uint8Array>,
  max: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const reader = body.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for (;;) {
      const { done, value } = await unlessAborted(reader.read(), signal);
      if (done) return joined(chunks, length);
      length += value.length;
      if (length > max)
        throw new HttpError(
          "overflow",
          `the request's body is larger than ${max} bytes, and this executor takes no stream`,
          {
            mayHaveRun: false,
          },
        );
      chunks.push(value);
    }
  } catch (error) {
    reader.cancel(error).catch(() => {}); // whoever asked for the request is told
    throw error;
  }
}

function slices(bytes: Uint8Array): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream(
    {
      pull(controller) {
        controller.enqueue(bytes.subarray(at, (at += SMALL)));
        if (at >= bytes.length) controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}
