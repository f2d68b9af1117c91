// Who a request belongs to, as W3C Trace Context says it (https://www.w3.org/TR/trace-context-1/): passed on as it came, and
// where it is malformed not at all, as the recommendation has it (section 3.2.2.5, 3.3).
import type { HttpHeader } from "./http-client.ts";

export interface TraceContext {
  readonly traceparent: string;
  readonly tracestate?: string;
}

/** What of it is valid; a `tracestate` counts for nothing without a `traceparent`. */
export function validTrace(given: unknown): TraceContext | undefined {
  if (typeof given !== "object" || given === null) return undefined;
  const { traceparent, tracestate } = given as Readonly<Record<string, unknown>>;
  if (typeof traceparent !== "string" || traceparent.length > MAX || !PARENT.test(traceparent))
    return undefined;
  return isState(tracestate) ? { traceparent, tracestate } : { traceparent };
}

/** X6: what stands beside a call's params (C5), or in `trace`, where codex's peers have it. */
export function traceIn(message: Readonly<Record<string, unknown>>): TraceContext | undefined {
  return validTrace(message["trace"]) ?? validTrace(message);
}

/** The headers of a request, and those that say whose it is, unless it has one of them itself. */
export function withTrace(headers: readonly HttpHeader[], trace: unknown): readonly HttpHeader[] {
  const valid = validTrace(trace);
  if (valid === undefined || headers.some(([name]) => NAMES.has(name.toLowerCase()))) return headers;
  const { traceparent, tracestate } = valid;
  const own: HttpHeader[] = [["traceparent", traceparent]];
  if (tracestate !== undefined) own.push(["tracestate", tracestate]);
  return [...headers, ...own];
}

const NAMES: ReadonlySet<string> = new Set(["traceparent", "tracestate"]);

/** Characters of each: as many as have to be passed on (section 3.3.1.5). */
const MAX = 512;

// Version 00 has these four fields; later ones may have more behind them, and ff is none.
const PARENT =
  /^(?!ff|00.{54})[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-[\x21-\x7e]*)?$/;

const MAX_MEMBERS = 32;
const MEMBER =
  /^(?:[a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

function isState(text: unknown): text is string {
  if (typeof text !== "string" || text.length > MAX) return false;
  const members = text.split(",").map((member) => member.replaceAll(/^[ \t]+|[ \t]+$/g, ""));
  const named = members.filter((member) => member !== "");
  return named.length > 0 && named.length <= MAX_MEMBERS && named.every((member) => MEMBER.test(member));
}
