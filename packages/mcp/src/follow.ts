// Reads one stream of the server to its end, over as many responses as that takes: where one is cut off, or ended by a
// server that does not want to hold it, a GET with the last id goes on (MCP 2025-11-25, "Resumability and Redelivery").
// What comes is given on before the next response is asked for, so that nothing is given twice.
import type { StreamedResponse } from "@sluice/exec";
import type { Clock } from "./clock.ts";
import type { Conversation } from "./endpoint.ts";
import { mediaType } from "./headers.ts";
import { judgeDenial, statusError } from "./judge.ts";
import type { McpLimits } from "./limits.ts";
import { McpError } from "./mcp-error.ts";
import { letGo } from "./read-body.ts";
import { readEvents, type EventHints } from "./read-events.ts";

export interface FollowOptions {
  readonly limits: McpLimits;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly conversation: Conversation;
  /** Asks for the stream from behind the event `last` on; without it, for the stream that GET opens. */
  get(last: string | undefined): Promise<StreamedResponse>;
  /** Takes the data of an event; the next one is given when this has resolved. */
  take(data: string): void | Promise<void>;
  /** Whether what is to come has come: a stream that ends or breaks then is not asked for again. */
  done(): boolean;
  /** The id to go on from has changed. */
  onId(id: string): void;
}

/** Where a stream begins: with a response, or with an id to go on from, or, with neither, by a GET. */
export interface FollowStart {
  readonly response?: StreamedResponse;
  readonly last?: string | undefined;
  /** Whether a GET without an id goes on with this stream. */
  readonly byGet: boolean;
}

/** `done`: as `done` says, or the signal. `none`: a server without GET streams. `ended`, `lost`: cut off, and it cannot be resumed. */
export type Followed = "done" | "none" | "ended" | "lost";

/** Rejects with an `McpError` where the server refuses to go on, or breaks a rule. */
export async function follow(start: FollowStart, options: FollowOptions): Promise<Followed> {
  return new Following(start, options).run();
}

class Following {
  readonly #options: FollowOptions;
  readonly #byGet: boolean;
  #response: StreamedResponse | undefined;
  #last: string | undefined;
  /** ms, as the server wants it. */
  #retry: number | undefined;
  /** In a row. */
  #failures = 0;

  constructor({ response, last, byGet }: FollowStart, options: FollowOptions) {
    this.#options = options;
    this.#byGet = byGet;
    this.#response = response;
    this.#last = last;
  }

  async run(): Promise<Followed> {
    const { limits, signal, clock } = this.#options;
    for (;;) {
      const read = this.#response === undefined ? undefined : await this.#read(this.#response);
      if (this.#over) return "done";
      if (read !== undefined) {
        this.#failures = read === "ended" ? 0 : this.#failures + 1;
        if (this.#last === undefined && !this.#byGet) return read === "ended" ? "ended" : "lost";
        if (this.#failures > limits.resumes) return "lost";
        await clock.pause(this.#retry ?? this.#backoff(), signal);
      }
      const asked = await this.#ask(read !== undefined);
      if (this.#over) return "done";
      if (asked === "none") return asked;
      this.#response = asked === "again" ? undefined : asked;
      if (asked !== "again") continue;
      if (++this.#failures > limits.resumes) return "lost";
      await clock.pause(Math.max(this.#retry ?? 0, this.#backoff()), signal);
    }
  }

  get #over(): boolean {
    return this.#options.done() || this.#options.signal.aborted;
  }

  async #read(response: StreamedResponse): Promise<"ended" | "cut"> {
    const { limits, signal, take, onId } = this.#options;
    const hints: EventHints = {
      onId: (id) => {
        this.#last = id === "" ? undefined : id;
        if (id !== "") onId(id);
      },
      onRetry: (ms) => void (this.#retry = ms),
    };
    try {
      for await (const { event = "message", data } of readEvents(
        response.body,
        limits.message,
        signal,
        hints,
      )) {
        this.#failures = 0;
        // Without data it only says where to go on.
        if (event === "message" && data !== "") await take(data);
      }
      return "ended";
    } catch (cause) {
      if (cause instanceof McpError) throw cause;
      return "cut";
    }
  }

  async #ask(opened: boolean): Promise<StreamedResponse | "none" | "again"> {
    const { get, conversation } = this.#options;
    if (this.#over) return "again";
    let response: StreamedResponse;
    try {
      response = await get(this.#last);
    } catch (error) {
      // The user's own headers or token have failed, or a redirect leads away: asking again does not help.
      if (this.#over || (error instanceof McpError && error.kind === "failed")) return "again";
      throw error;
    }
    const { status } = response;
    if (status === 200 && mediaType(response) === "text/event-stream") return response;
    const denied = await judgeDenial(response, conversation);
    if (denied !== undefined) throw denied;
    // 405 is MCP's word for it; 404 is that of servers without sessions.
    if ((status === 405 || status === 404) && !opened && this.#last === undefined) {
      await letGo(response);
      return "none";
    }
    // The server is busy, or has not noticed that our last response is gone.
    if (status >= 500 || [408, 409, 425, 429].includes(status)) {
      await letGo(response);
      return "again";
    }
    throw await statusError(response, this.#options);
  }

  /** ms: some of them at random, so that many clients do not come at once. */
  #backoff(): number {
    const [first, most] = this.#options.limits.backoff;
    return Math.min(most, first * 2 ** Math.max(0, this.#failures - 1)) * (0.5 + Math.random() / 2);
  }
}
