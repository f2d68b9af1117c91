// The typed handlers, each as a link of a chain: does the method match, are the params what their schema says, and whose
// message is it.
import { Handled, type ChainMessage } from "../chain.ts";
import type { ConnectionTo } from "./connection-to.ts";
import {
  checkedParams,
  descriptorFor,
  type NotificationType,
  type NotificationUnion,
  type RequestType,
  type RequestUnion,
  type Tagged,
} from "./descriptor.ts";
import { messageOf, type Dispatch, type NotificationDispatch, type RequestDispatch } from "./dispatch.ts";
import type { DispatchHandler, Link } from "./handler-chain.ts";
import { counterpartStyle, type RemoteStyle } from "./remote-style.ts";
import type { Role } from "./role.ts";
import type { Responder } from "./responder.ts";

/** What a typed handler returns: nothing, or whether it claims the message. */
export type HandlerResult = Handled | void | PromiseLike<Handled | void>;

export type RequestHandler<P, R, Cx extends ConnectionTo = ConnectionTo> = (
  params: P,
  responder: Responder<R>,
  cx: Cx,
) => HandlerResult;

export type NotificationHandler<P, Cx extends ConnectionTo = ConnectionTo> = (
  params: P,
  cx: Cx,
) => HandlerResult;

/** Requests and notifications for one handler of dispatches. Without one of them it sees none of that kind. */
export interface DispatchTypes<Q = unknown, R = unknown, N = unknown> {
  readonly request?: RequestType<Q, R> | RequestUnion<Q, R>;
  readonly notification?: NotificationType<N> | NotificationUnion<N>;
}

export type TypedDispatchHandler<Q, R, N, Cx extends ConnectionTo = ConnectionTo> = (
  dispatch:
    | Exclude<Dispatch<Q, R>, { kind: "notification" }>
    | Extract<Dispatch<N>, { kind: "notification" }>,
  cx: Cx,
) => HandlerResult;

type Handle = (dispatch: Dispatch, cx: ConnectionTo) => HandlerResult;

/** Handles requests of `type`, and passes everything else on. */
export function requestLink<P, R, Cx extends ConnectionTo>(
  type: RequestType<P, R> | RequestUnion<P, R>,
  handler: RequestHandler<never, R, Cx>,
): Link {
  const handle: Handle = (dispatch, cx) => {
    if (dispatch.kind !== "request") return PASSED;
    const { responder } = dispatch;
    const params = paramsFor(type, dispatch);
    if (params === NOT_OURS) return PASSED;
    if (!(params instanceof Promise)) return handler(params as never, responder, cx as Cx);
    return params.then((settled) => handler(settled as never, responder, cx as Cx));
  };
  return { name: nameOf(type), seesResponses: false, handle };
}

/** Handles notifications of `type`, and passes everything else on. */
export function notificationLink<P, Cx extends ConnectionTo>(
  type: NotificationType<P> | NotificationUnion<P>,
  handler: NotificationHandler<never, Cx>,
): Link {
  const handle: Handle = (dispatch, cx) => {
    if (dispatch.kind !== "notification") return PASSED;
    const params = paramsFor(type, dispatch);
    if (params === NOT_OURS) return PASSED;
    if (!(params instanceof Promise)) return handler(params as never, cx as Cx);
    return params.then((settled) => handler(settled as never, cx as Cx));
  };
  return { name: nameOf(type), seesResponses: false, handle };
}

/** Handles requests, notifications and the answers to requests of these types. */
export function dispatchLink<Q, R, N, Cx extends ConnectionTo>(
  types: DispatchTypes<Q, R, N>,
  handler: TypedDispatchHandler<Q, R, N, Cx>,
): Link {
  const handle: Handle = (dispatch, cx) => {
    const type = dispatch.kind === "notification" ? types.notification : types.request;
    if (type === undefined) return PASSED;
    if (dispatch.kind === "response")
      return descriptorFor(type, dispatch.method) === undefined
        ? PASSED
        : handler(dispatch as never, cx as Cx);
    const described = descriptorFor(type, dispatch.method);
    if (described === undefined) return PASSED;
    const params = checkedParams(described, dispatch.params);
    const go = (value: unknown): HandlerResult => handler({ ...dispatch, params: value } as never, cx as Cx);
    return params instanceof Promise ? params.then(go) : go(params);
  };
  const names = [types.request, types.notification].flatMap((type) =>
    type === undefined ? [] : nameOf(type),
  );
  return { name: names.join(", "), seesResponses: types.request !== undefined, handle };
}

/** A handler that sees everything, answers included. */
export function anyLink<Cx extends ConnectionTo>(
  handler: DispatchHandler<Cx>,
  name: string = "handler",
): Link {
  return { name, seesResponses: true, handle: handler };
}

/** The same link for what comes from `peer` alone, out of whatever `style` wraps it in. */
export function linkFrom(peer: Role, style: RemoteStyle, link: Link): Link {
  if (style === counterpartStyle) return link; // there is nobody else
  const inner = link.handle as Handle;
  const handle: Handle = (dispatch, cx) => {
    if (dispatch.kind === "response") return dispatch.router.peer === peer ? inner(dispatch, cx) : PASSED;
    const message = messageOf(dispatch);
    const unwrapped = style.incoming(message);
    if (unwrapped === undefined) return PASSED;
    if (unwrapped === message) return inner(dispatch, cx);
    const handled = inner({ ...dispatch, method: unwrapped.method, params: unwrapped.params }, cx);
    const wrapAgain = (done: Handled | void): Handled | void => passOn(done, message, style);
    return isThenable(handled) ? handled.then(wrapAgain) : wrapAgain(handled);
  };
  return { name: `${link.name} from ${peer.name}`, seesResponses: link.seesResponses, handle };
}

// A handler that changed what was inside changes what is inside for the next.
function passOn(handled: Handled | void, outer: ChainMessage, style: RemoteStyle): Handled | void {
  if (handled === undefined || handled.handled || handled.message === undefined) return handled;
  return Handled.no({ ...handled, message: style.wrapAgain(outer, handled.message) });
}

const PASSED: Handled = Handled.no();

type AnyType = RequestType | RequestUnion | NotificationType | NotificationUnion;

const NOT_OURS: unique symbol = Symbol("not ours");

// What a handler of `type` is given, or a promise of it. Params that are wrong end the chain: the handlers behind get no try.
function paramsFor(type: AnyType, { method, params }: RequestDispatch | NotificationDispatch): unknown {
  const described = descriptorFor(type, method);
  if (described === undefined) return NOT_OURS;
  const value = checkedParams(described, params);
  if (!("of" in type)) return value;
  const tag = (settled: unknown): Tagged => ({ method, params: settled });
  return value instanceof Promise ? value.then(tag) : tag(value);
}

function nameOf(type: AnyType): string {
  if (!("of" in type)) return type.method;
  return type.of === "any" ? `any ${type.kind}` : type.of.map(({ method }) => method).join(" | ");
}

function isThenable(value: unknown): value is PromiseLike<Handled | void> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === "function";
}
