// The executor's side of `http/request`: who may ask, what is asked for, and where its body goes. One per connection.
import { fromBase64, toBase64 } from "@sluice/codec";
import { bytes, RpcError, type Handler, type HandlerContext } from "@sluice/session";
import * as v from "valibot";
import { collect } from "./collect.ts";
import { invalidParams, overLimit } from "./executor-error.ts";
import { maybe, parse } from "./executor-params.ts";
import { asStream, sendDeltas } from "./http-body-relay.ts";
import type { HttpClient, HttpHeader, HttpRequest, HttpResponse } from "./http-client.ts";
import { HttpError } from "./http-error.ts";
import { checkMethod, checkNames, parseUrl } from "./http-headers.ts";
import { traceIn, withTrace } from "./http-trace.ts";
import { Upstream } from "./http-upstream.ts";
import { headersOf } from "./http-variables.ts";
import {
  ANSWER_CODES,
  HTTP_CANCEL,
  HTTP_REQUEST,
  type HttpRequestParams,
  type HttpRequestResult,
} from "./http-wire.ts";
import type { Lanes } from "./lanes.ts";

export interface RunnerLimits {
  /** Requests and bodies under way. Beyond: answered -32012. */
  readonly requests: number;
  /** Bytes of a body that goes into the answer whole. Beyond: answered -32603; a streamed body has no such bound. */
  readonly buffered: number;
}

export interface RunnerOptions {
  readonly client: HttpClient;
  readonly limits: RunnerLimits;
  /** Where a request waits for its turn, until it has its headers. */
  readonly lanes: Pick<Lanes, "run">;
  /** What `valueEnvVar` may name. */
  readonly variables: Readonly<Record<string, string | undefined>>;
}

export class HttpRunner {
  /** Both are to be called as they come: a request that waits can be cancelled already. */
  readonly handlers: Readonly<Record<string, Handler>>;
  readonly #options: RunnerOptions;
  readonly #open: Set<Upstream> = new Set();
  /** Those whose body is streamed, by their ids, which the peer may not use twice. */
  readonly #streaming: Map<string, Upstream> = new Map();

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.handlers = {
      [HTTP_REQUEST]: (params: unknown, context) => this.#request(params, context),
      [HTTP_CANCEL]: (params: unknown) => this.#cancel(params),
    };
  }

  /** Requests that have not ended, bodies included. */
  get open(): number {
    return this.#open.size;
  }

  /** The connection is gone: everything under way is given up. */
  close(): void {
    for (const upstream of this.#open) upstream.cancel("the connection is gone");
  }

  async #request(params: unknown, context: HandlerContext): Promise<HttpRequestResult> {
    const asked = parse(REQUEST, params);
    const upstream = this.#begin(asked);
    const greeted = context.session.peer !== undefined;
    // Only who greeted can cancel a call, or say how long it may take (C5).
    if (greeted) context.signal.addEventListener("abort", () => upstream.cancel("the call was cancelled"));
    try {
      const { lanes } = this.#options;
      // What is streamed is not held by the lane.
      const { body: _, ...held } = asked;
      return await lanes.run(
        held,
        () => upstream.signal,
        () => this.#run(asked, upstream, context, greeted),
      );
    } catch (error) {
      upstream.over();
      throw answerFor(error, greeted);
    }
  }

  #begin({ requestId, streamResponse }: HttpRequestParams): Upstream {
    const streams = streamResponse === true;
    if (streams && this.#streaming.has(requestId))
      throw invalidParams(`http/request streamResponse requestId \`${requestId}\` is already active`);
    const { requests } = this.#options.limits;
    if (this.#open.size >= requests) throw overLimit("requests", requests, "too many requests are under way");
    const upstream = new Upstream(requestId, (over) => {
      this.#open.delete(over);
      if (this.#streaming.get(requestId) === over) this.#streaming.delete(requestId);
    });
    this.#open.add(upstream);
    if (streams) this.#streaming.set(requestId, upstream);
    return upstream;
  }

  async #run(
    asked: HttpRequestParams,
    upstream: Upstream,
    context: HandlerContext,
    greeted: boolean,
  ): Promise<HttpRequestResult> {
    const { client, limits, variables } = this.#options;
    checkMethod(asked.method);
    parseUrl(asked.url);
    checkNames(asked.headers.map(({ name }) => name));
    const headers = withTrace(headersOf(asked, variables), traceIn(context.message));
    const response = await client.requestStream(requestOf(asked, headers, upstream.signal));
    if (asked.streamResponse !== true) {
      const { body } = await collect(response, limits.buffered);
      upstream.over();
      return { ...headOf(response, greeted), bodyBase64: toBase64(body) };
    }
    const head = { ...headOf(response, greeted), bodyBase64: "" };
    const { body } = response;
    if (greeted) return { ...head, body: bytes(asStream(body, upstream)) as unknown as typeof body };
    // Deltas follow the answer.
    context.defer(() => void sendDeltas(context.session, body, upstream));
    return head;
  }

  #cancel(params: unknown): Record<string, never> {
    const { requestId } = parse(CANCEL, params);
    for (const upstream of this.#open)
      if (upstream.requestId === requestId) upstream.cancel("http/request cancelled");
    return {};
  }
}

const number = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const REQUEST: v.GenericSchema<unknown, HttpRequestParams> = v.object({
  method: v.string(),
  url: v.string(),
  headers: v.optional(
    v.array(v.object({ name: v.string(), value: v.string(), valueEnvVar: maybe(v.string()) })),
    [],
  ),
  bodyBase64: maybe(v.string()),
  timeoutMs: maybe(number),
  redirectPolicy: v.optional(v.picklist(["follow", "stop"])),
  requestId: v.string(),
  streamResponse: v.optional(v.boolean()),
  body: v.optional(v.instance(ReadableStream<Uint8Array>)),
  timeouts: v.optional(v.object({ headersMs: v.optional(number), idleMs: v.optional(number) })),
});
const CANCEL = v.object({ requestId: v.string() });

function requestOf(
  asked: HttpRequestParams,
  headers: readonly HttpHeader[],
  signal: AbortSignal,
): HttpRequest {
  const { method, url, timeoutMs, timeouts = {}, redirectPolicy = "follow" } = asked;
  const { headersMs, idleMs } = timeouts;
  return {
    method,
    url,
    headers,
    body: bodyOf(asked),
    redirect: redirectPolicy,
    timeouts: {
      ...(typeof timeoutMs === "number" && { total: timeoutMs }),
      ...(headersMs !== undefined && { headers: headersMs }),
      ...(idleMs !== undefined && { idle: idleMs }),
    },
    signal,
  };
}

function bodyOf({ body, bodyBase64 }: HttpRequestParams): HttpRequest["body"] {
  if (body !== undefined || typeof bodyBase64 !== "string") return body;
  const decoded = fromBase64(bodyBase64);
  if (decoded === undefined) throw invalidParams("bodyBase64 is not padded standard base64");
  return decoded;
}

function headOf(response: HttpResponse, greeted: boolean): Omit<HttpRequestResult, "bodyBase64"> {
  const { status, statusText, url } = response;
  const headers = response.headers.map(([name, value]) => ({ name: name.toLowerCase(), value }));
  return greeted ? { status, headers, statusText, url } : { status, headers };
}

function answerFor(error: unknown, greeted: boolean): unknown {
  if (!(error instanceof HttpError)) return error;
  const { kind, message } = error;
  const text =
    message.startsWith("http/request") || kind === "overflow" ? message : `http/request failed: ${message}`;
  return new RpcError(ANSWER_CODES[kind], text, greeted ? { kind } : undefined);
}
