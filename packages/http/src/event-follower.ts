// Reads one stream of the server to its end, over as many responses as that takes: where one is cut off, or ended by a
// server that does not want to hold it, a GET with the last id goes on (MCP 2025-11-25, "Resumability and Redelivery").
// What comes is given on before the next response is asked for, so that nothing is given twice.
import { TransportError } from "@sluice/transport";
import type { EventSourceMessage } from "eventsource-parser";
import type { DialLimits } from "./limits.ts";
import { mediaType } from "./media.ts";
import { pause } from "./pause.ts";
import { readEvents, type EventHints } from "./read-events.ts";

/** What following a stream needs of its client. */
export interface FollowOptions {
  readonly limits: DialLimits;
  readonly signal: AbortSignal;
  /** Asks for the stream from behind the event `last` on; without it, for the stream that GET opens. */
  get(last: string | undefined): Promise<Response>;
  /** Takes an event; the next one is given when this has resolved. */
  take(event: EventSourceMessage): Promise<void>;
  /** Whether there is nothing more to wait for. */
  done(): boolean;
}

/** Where a stream begins: with a response, or with an id to go on from, or, with neither, by a GET. */
export interface FollowStart {
  readonly response?: Response;
  readonly last?: string | undefined;
  /** Whether a GET without an id goes on with this stream. */
  readonly byGet: boolean;
}

/**
 * How it came out. `done`: as `done` says. `lost`: it was cut and cannot be resumed; `ended`: the server ended it, and
 * has no more of it; `none`: a server without GET streams; `unknown`: one that does not know the session.
 */
export type Followed = "done" | "lost" | "ended" | "none" | "unknown";

/** Never rejects, but with a `TransportError` where the server broke a rule. */
export async function follow(start: FollowStart, options: FollowOptions): Promise<Followed> {
  const { limits, signal } = options;
  let { response, last } = start;
  let opened = response !== undefined;
  let retry: number | undefined;
  let failures = 0;
  let read: "ended" | "cut" = "cut";
  for (;;) {
    if (response !== undefined) {
      opened = true;
      const hints = {
        onId: (id: string) => void (last = id === "" ? undefined : id),
        onRetry: (ms: number) => void (retry = ms),
        onEvent: () => void (failures = 0),
      };
      read = await readAll(response, options, hints);
      failures = read === "ended" ? 0 : failures + 1;
      if (options.done() || signal.aborted) return "done";
      if (last === undefined && !start.byGet) return read === "ended" ? read : "lost";
      if (failures > limits.retries) return "lost";
      await pause(retry ?? backoff(limits, failures), signal);
    }
    const asked = options.done() || signal.aborted ? "done" : await ask(options, last, opened);
    if (asked === "lost") return read === "ended" ? read : asked;
    if (typeof asked === "string" && asked !== "again") return asked;
    response = asked === "again" ? undefined : asked;
    if (response !== undefined) continue;
    if (++failures > limits.retries) return "lost";
    await pause(Math.max(retry ?? 0, backoff(limits, failures)), signal);
  }
}

/** Gives the events of one response. */
async function readAll(
  { body }: Response,
  { limits, take, signal }: FollowOptions,
  hints: EventHints & { onEvent(): void },
): Promise<"ended" | "cut"> {
  if (body === null) return "ended";
  try {
    for await (const event of readEvents(body, limits.message, signal, hints)) {
      hints.onEvent();
      await take(event);
      if (signal.aborted) break;
    }
    return "ended";
  } catch (cause) {
    if (cause instanceof TransportError) throw cause;
    return "cut";
  }
}

async function ask(
  options: FollowOptions,
  last: string | undefined,
  opened: boolean,
): Promise<Response | Followed | "again"> {
  let response: Response;
  try {
    response = await options.get(last);
  } catch {
    return "again";
  }
  const { type } = mediaType(response.headers.get("content-type"));
  if (response.status === 200 && type === "text/event-stream") return response;
  void response.body?.cancel().catch(() => {});
  if (response.status === 404) return "unknown";
  // The server is busy, or has not noticed that our last response is gone.
  if (response.status >= 500 || [408, 409, 425, 429].includes(response.status)) return "again";
  return opened || last !== undefined ? "lost" : "none";
}

/** ms to wait after the n-th failure in a row: some of them at random, so that many clients do not come at once. */
function backoff({ backoff: [first, most] }: DialLimits, failures: number): number {
  return Math.min(most, first * 2 ** Math.max(0, failures - 1)) * (0.5 + Math.random() / 2);
}
