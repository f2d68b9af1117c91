import { afterEach, expect } from "vitest";
import {
  json,
  opened,
  stage as makeStage,
  type Answer,
  type Answered,
  type MakePlace,
  type Seen,
  type Stage,
} from "./stage.testing.ts";
import type { StreamableHttpOptions } from "./streamable-http.ts";

export const error = (kind: string, rest: object = {}): unknown =>
  expect.objectContaining({ _tag: "McpError", kind, ...rest });
export const status = (code: number, body: string = "no", headers: HeadersInit = {}): Response =>
  new Response(body, { status: code, headers });
export const failure = (seen: Seen, code: number): Response =>
  json({ id: seen.message!.id, error: { code: -32000, message: "busy" } }, code);
export const result = (id: number, value: object = {}): { id: number; result: object } => ({
  id,
  result: value,
});
export const bytes = (count: number): string => "x".repeat(count);

/** Answers the first of these by `answers`, one after the other, and what comes then in the ordinary way. */
export function first(what: string, ...answers: ((seen: Seen) => Answered)[]): Answer {
  return (seen) => (seen.what === what ? answers.shift()?.(seen) : undefined);
}

/** A server whose session, named `s1` and so on, can be forgotten. */
export class Forgetful {
  sessions = 0;
  /** Answers what comes with a session that there is. */
  readonly answer: Answer;

  constructor(answer: Answer = () => undefined) {
    this.answer = (seen) => {
      if (seen.what === "initialize") return answer(seen) ?? this.open(seen);
      return seen.headers.get("mcp-session-id") === `s${this.sessions}` ? answer(seen) : status(404);
    };
  }

  open(seen: Seen): Response {
    return opened(seen, `s${++this.sessions}`);
  }

  forget(): void {
    this.sessions++;
  }
}

/**
 * What a client of requests does wrong, so that some cases cannot be told of it. `posts twice`: Deno's fetch sends a POST
 * again whose connection broke before the response. `loses beginnings`: Bun's fetch drops what came of a body where the
 * connection breaks soon after.
 */
export type Fault = "posts twice" | "loses beginnings";

/** Clients and their servers, which are closed after each test. */
export interface Staging {
  readonly name: string;
  readonly faults: readonly Fault[];
  stage(answer: Answer, options?: Partial<StreamableHttpOptions>): Promise<Stage>;
  /** With a session. */
  opening(answer: Answer, options?: Partial<StreamableHttpOptions>): Promise<Stage>;
}

export function staging(name: string, make: MakePlace, faults: readonly Fault[]): Staging {
  const stages: Stage[] = [];
  afterEach(async () => {
    for (const one of stages.splice(0)) await one.close();
  });
  const stage: Staging["stage"] = async (answer, options) => {
    const made = await makeStage(make, answer, options);
    stages.push(made);
    return made;
  };
  return {
    name,
    faults,
    stage,
    async opening(answer, options) {
      const made = await stage(answer, options);
      await made.open();
      return made;
    },
  };
}
