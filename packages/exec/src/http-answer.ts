// What comes back from an executor, as whoever asked for it is told.
import { RefusedError, RpcError, SessionError, StreamError } from "@sluice/session";
import { StreamCode } from "@sluice/streams";
import * as v from "valibot";
import { HttpError, type HttpErrorKind } from "./http-error.ts";
import { ANSWER_CODES, BODY_CODES, type HttpRequestResult } from "./http-wire.ts";

/** The answer to `http/request`, checked. @throws HttpError of kind `protocol` */
export function readResult(value: unknown): HttpRequestResult {
  const parsed = v.safeParse(RESULT, value);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw new HttpError(
    "protocol",
    `the answer to http/request is malformed at ${v.getDotPath(issue) ?? "its top"}`,
  );
}

const RESULT: v.GenericSchema<unknown, HttpRequestResult> = v.object({
  status: v.pipe(v.number(), v.integer(), v.minValue(100), v.maxValue(999)),
  headers: v.array(v.object({ name: v.string(), value: v.string() })),
  bodyBase64: v.optional(v.string(), ""),
  body: v.optional(v.instance(ReadableStream<Uint8Array>)),
  statusText: v.optional(v.string()),
  url: v.optional(v.string()),
});

/** Why there is no response. What is no error of a session's passes as it is. */
export function requestError(error: unknown): unknown {
  if (error instanceof RpcError)
    return new HttpError(kindOfAnswer(error), error.message, { cause: error, mayHaveRun: error.mayHaveRun });
  if (error instanceof SessionError) return disconnected(error);
  if (error instanceof RefusedError)
    return new HttpError("refused", `http/request was not sent: ${error.message}`, { cause: error });
  return error;
}

/** Why there is no more of a body. */
export function bodyError(error: unknown): unknown {
  if (!(error instanceof StreamError)) return error;
  const { cause } = error;
  if (error.code === StreamCode.sessionEnded && cause instanceof SessionError) return disconnected(cause);
  return new HttpError(KINDS.get(error.code) ?? "upstream", error.message, { cause: error });
}

/** The same, of a body that came as deltas. */
export function deltaError(id: string, error: unknown): unknown {
  if (!(error instanceof StreamError) || error.code !== StreamCode.sessionEnded) return bodyError(error);
  const text = `http response stream \`${id}\` failed: ${error.message}`;
  return new HttpError("disconnected", text, { cause: error });
}

function disconnected(cause: Error): HttpError {
  return new HttpError("disconnected", `exec-server transport disconnected: ${cause.message}`, { cause });
}

const KINDS: ReadonlyMap<number, HttpErrorKind> = new Map<number, HttpErrorKind>([
  ...Object.entries(BODY_CODES).map(([kind, code]): [number, HttpErrorKind] => [code, kind as HttpErrorKind]),
  [StreamCode.limit, "overflow"],
  [StreamCode.protocol, "protocol"],
  [StreamCode.cancelled, "cancelled"],
]);

const OVERLOADED: ReadonlySet<number> = new Set([-32012, -32013]);

function kindOfAnswer({ code, data }: RpcError): HttpErrorKind {
  const kind = (data as { kind?: unknown } | undefined)?.kind;
  if (typeof kind === "string" && Object.hasOwn(ANSWER_CODES, kind)) return kind as HttpErrorKind;
  if (OVERLOADED.has(code)) return "overflow";
  if (code === ANSWER_CODES.invalid) return "invalid";
  if (code === ANSWER_CODES.cancelled) return "cancelled";
  return code === ANSWER_CODES.upstream ? "upstream" : "protocol";
}
