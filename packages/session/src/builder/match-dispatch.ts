// Finds out what a dispatch is, case by case: as the handlers of a builder do it, inside of one handler.
import { Handled } from "../chain.ts";
import type { ConnectionTo } from "./connection-to.ts";
import {
  checkedResult,
  descriptorFor,
  type NotificationType,
  type NotificationUnion,
  type RequestType,
  type RequestUnion,
  type Tagged,
} from "./descriptor.ts";
import type { Dispatch, ResponseDispatch } from "./dispatch.ts";
import { runLinks, type DispatchHandler, type Link } from "./handler-chain.ts";
import {
  anyLink,
  dispatchLink,
  linkFrom,
  notificationLink,
  requestLink,
  type DispatchTypes,
  type HandlerResult,
  type NotificationHandler,
  type RequestHandler,
  type TypedDispatchHandler,
} from "./link.ts";
import type { Outcome } from "./outcome.ts";
import type { ResponseRouter } from "./response-router.ts";
import type { Role } from "./role.ts";

/** Is told what a request of ours came to, with the right to say otherwise. */
export type ResponseHandler<R, Cx extends ConnectionTo> = (
  outcome: Outcome<R>,
  router: ResponseRouter<R>,
  cx: Cx,
) => HandlerResult;

/** Begins to match `dispatch`; `done` or one of the `otherwise` ends it. */
export function matchDispatch<Cx extends ConnectionTo>(dispatch: Dispatch, cx: Cx): MatchDispatch<Cx> {
  return new MatchDispatch<Cx>(dispatch, cx);
}

/** Cases in order; the first that matches runs, and one that returns `Handled.no()` leaves it to the next. */
export class MatchDispatch<Cx extends ConnectionTo = ConnectionTo> {
  readonly #dispatch: Dispatch;
  readonly #cx: Cx;
  readonly #links: Link[] = [];

  constructor(dispatch: Dispatch, cx: Cx) {
    this.#dispatch = dispatch;
    this.#cx = cx;
  }

  ifRequest<P, R>(type: RequestType<P, R>, handler: RequestHandler<P, R, Cx>): this;
  ifRequest<P, R>(types: RequestUnion<P, R>, handler: RequestHandler<Tagged<P>, R, Cx>): this;
  ifRequest<P, R>(type: RequestType<P, R> | RequestUnion<P, R>, handler: RequestHandler<never, R, Cx>): this {
    return this.#case(requestLink(type, handler));
  }
  ifRequestFrom<P, R>(peer: Role, type: RequestType<P, R>, handler: RequestHandler<P, R, Cx>): this {
    return this.#caseFrom(peer, requestLink(type, handler));
  }

  ifNotification<P>(type: NotificationType<P>, handler: NotificationHandler<P, Cx>): this;
  ifNotification<P>(types: NotificationUnion<P>, handler: NotificationHandler<Tagged<P>, Cx>): this;
  ifNotification<P>(
    type: NotificationType<P> | NotificationUnion<P>,
    handler: NotificationHandler<never, Cx>,
  ): this {
    return this.#case(notificationLink(type, handler));
  }
  ifNotificationFrom<P>(peer: Role, type: NotificationType<P>, handler: NotificationHandler<P, Cx>): this {
    return this.#caseFrom(peer, notificationLink(type, handler));
  }

  ifDispatch<Q, R, N>(types: DispatchTypes<Q, R, N>, handler: TypedDispatchHandler<Q, R, N, Cx>): this {
    return this.#case(dispatchLink(types, handler));
  }
  ifDispatchFrom<Q, R, N>(
    peer: Role,
    types: DispatchTypes<Q, R, N>,
    handler: TypedDispatchHandler<Q, R, N, Cx>,
  ): this {
    return this.#caseFrom(peer, dispatchLink(types, handler));
  }

  /** A result that is not what its type says comes as an error. */
  ifResponseTo<P, R>(type: RequestType<P, R>, handler: ResponseHandler<R, Cx>): this {
    return this.#case(responseLink(type, handler));
  }
  ifResponseToFrom<P, R>(peer: Role, type: RequestType<P, R>, handler: ResponseHandler<R, Cx>): this {
    return this.#caseFrom(peer, responseLink(type, handler));
  }

  /** As `ifResponseTo` for results; errors pass by. */
  ifOkResponseTo<P, R>(
    type: RequestType<P, R>,
    handler: (result: R, router: ResponseRouter<R>, cx: Cx) => HandlerResult,
  ): this {
    return this.ifResponseTo(type, (outcome, router, cx) =>
      outcome.ok ? handler(outcome.value, router, cx) : Handled.no(),
    );
  }

  /** Whether a case claimed it, for the handler to return. */
  async done(): Promise<Handled> {
    const passed = await runLinks(this.#links, this.#dispatch, this.#cx);
    if (passed === undefined) return Handled.yes;
    const { dispatch, retry } = passed;
    const changed = dispatch !== this.#dispatch && dispatch.kind !== "response";
    if (!changed) return Handled.no({ retry });
    return Handled.no({ retry, message: { method: dispatch.method, params: dispatch.params as never } });
  }

  /** Runs `handler` where no case claimed it. */
  otherwise(handler: DispatchHandler<Cx>): Promise<Handled> {
    this.#case(anyLink(handler));
    return this.done();
  }

  /** Leaves the rest to another handler. */
  otherwiseDelegate(handler: DispatchHandler<Cx>): Promise<Handled> {
    return this.otherwise(handler);
  }

  /** Claims the rest, and does nothing with it. A request is answered -32603 then. */
  otherwiseIgnore(): Promise<Handled> {
    return this.otherwise(() => Handled.yes);
  }

  #case(link: Link): this {
    this.#links.push(link);
    return this;
  }

  #caseFrom(peer: Role, link: Link): this {
    return this.#case(linkFrom(peer, this.#cx.role.styleOf(peer), link));
  }
}

function responseLink<P, R, Cx extends ConnectionTo>(
  type: RequestType<P, R>,
  handler: ResponseHandler<R, Cx>,
): Link {
  const handle = (dispatch: Dispatch, cx: ConnectionTo): HandlerResult => {
    if (dispatch.kind !== "response" || descriptorFor(type, dispatch.method) === undefined)
      return Handled.no();
    const { router } = dispatch as ResponseDispatch<R>;
    const outcome = readOutcome(type, dispatch.outcome);
    if (outcome instanceof Promise) return outcome.then((read) => handler(read, router, cx as Cx));
    return handler(outcome, router, cx as Cx);
  };
  return { name: `answer to ${type.method}`, seesResponses: true, handle };
}

function readOutcome<R>(type: RequestType<unknown, R>, outcome: Outcome): Outcome<R> | Promise<Outcome<R>> {
  if (!outcome.ok) return outcome;
  const failed = (error: unknown): Outcome<R> => ({ ok: false, error: error as Error });
  try {
    const value = checkedResult(type, outcome.value);
    if (!(value instanceof Promise)) return { ok: true, value: value as R };
    return value.then((read) => ({ ok: true, value: read as R }), failed);
  } catch (error) {
    return failed(error);
  }
}
