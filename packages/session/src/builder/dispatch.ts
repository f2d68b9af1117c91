// What a handler is given: a request with the right to answer it, a notification, or the answer to a request of ours.
import type { Params } from "@sluice/codec";
import type { ChainMessage } from "../chain.ts";
import type { Outcome } from "./outcome.ts";
import type { Responder } from "./responder.ts";
import type { ResponseRouter } from "./response-router.ts";

export interface RequestDispatch<P = unknown, R = unknown> {
  readonly kind: "request";
  readonly method: string;
  readonly params: P;
  readonly responder: Responder<R>;
}

export interface NotificationDispatch<P = unknown> {
  readonly kind: "notification";
  readonly method: string;
  readonly params: P;
}

/** `method` is that of the request it answers. */
export interface ResponseDispatch<R = unknown> {
  readonly kind: "response";
  readonly method: string;
  readonly outcome: Outcome<R>;
  readonly router: ResponseRouter<R>;
}

export type Dispatch<P = unknown, R = unknown> =
  | RequestDispatch<P, R>
  | NotificationDispatch<P>
  | ResponseDispatch<R>;

/** The same dispatch with another message; an answer has none, and stays as it is. */
export function withMessage(dispatch: Dispatch, message: ChainMessage | undefined): Dispatch {
  if (message === undefined || dispatch.kind === "response") return dispatch;
  return { ...dispatch, method: message.method, params: message.params };
}

/** The message of a request or notification, as it travels. */
export function messageOf(dispatch: RequestDispatch | NotificationDispatch): ChainMessage {
  return { method: dispatch.method, params: dispatch.params as Params | undefined };
}

/** A member of the params, where they are an object that has it. */
export function field(params: unknown, name: string): unknown {
  if (typeof params !== "object" || params === null || Array.isArray(params)) return undefined;
  return Object.hasOwn(params, name) ? (params as Record<string, unknown>)[name] : undefined;
}
