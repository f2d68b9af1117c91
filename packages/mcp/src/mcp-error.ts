import type { Challenge } from "./challenge.ts";

export type McpErrorKind =
  /** 404: the server does not know the session any more, and opening it again did not help. */
  | "expired"
  /** 401 with a challenge: give a token, or another one. */
  | "unauthorized"
  /** 403: the token is good for less than this; `scope` says what is needed, where the server does. */
  | "scope"
  /** Any other status that is no success. */
  | "status"
  /** Neither JSON nor an event stream, or not what MCP says they hold. */
  | "content"
  /** More than `limits` take. */
  | "overflow"
  /** To where this client does not follow. */
  | "redirect"
  /** The request failed; the `HttpError` is the cause. */
  | "failed"
  /** The response ended before the answer, and cannot be resumed. */
  | "lost"
  /** The transport is closed, or was never started. */
  | "closed";

export interface McpErrorOptions {
  readonly cause?: unknown;
  readonly status?: number | undefined;
  readonly body?: string | undefined;
  readonly scope?: string | undefined;
  readonly challenges?: readonly Challenge[];
  /** Default: true, but for what the server turned away. */
  readonly mayHaveRun?: boolean;
}

/** Why a message did not get through, or its answer did not come back. */
export class McpError extends Error {
  readonly _tag: "McpError" = "McpError";
  override readonly name: string = "McpError";
  readonly kind: McpErrorKind;
  /** The response's, where there was one. */
  readonly status: number | undefined;
  /** The beginning of the response's body, for people. */
  readonly body: string | undefined;
  /** What the server asks for, with `unauthorized` and `scope`. */
  readonly challenges: readonly Challenge[];
  /** The scope that is needed, with `scope`. */
  readonly scope: string | undefined;
  /** Whether what was asked may have been done. */
  readonly mayHaveRun: boolean;

  constructor(kind: McpErrorKind, message: string, options: McpErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.status = options.status;
    this.body = options.body;
    this.challenges = options.challenges ?? [];
    this.scope = options.scope;
    this.mayHaveRun = options.mayHaveRun ?? !NOT_RUN.includes(kind);
  }
}

const NOT_RUN: readonly McpErrorKind[] = ["expired", "unauthorized", "scope", "redirect", "closed"];
