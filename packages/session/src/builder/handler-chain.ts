// Handlers in their order: those of the builder as registered, then those added later, then the role's own. Each sees a
// dispatch in turn and claims it or passes it on, changed if it likes; the first claim wins.
import { Handled } from "../chain.ts";
import type { ConnectionTo } from "./connection-to.ts";
import { withMessage, type Dispatch } from "./dispatch.ts";

/**
 * A handler of everything. `Handled.no()` passes it on, any other return claims it. What it throws is the answer of a
 * request, the outcome of an answer, and reported for a notification.
 */
export type DispatchHandler<Cx extends ConnectionTo = ConnectionTo> = (
  dispatch: Dispatch,
  cx: Cx,
) => Handled | void | PromiseLike<Handled | void>;

/** A handler in its chain. */
export interface Link {
  /** Names it in what is reported. */
  readonly name: string;
  /** Whether it looks at answers. Where none does, they go straight to who waits. */
  readonly seesResponses: boolean;
  readonly handle: DispatchHandler<never>;
}

/** A function is asked again whenever an answer has come. */
export type Retry = boolean | (() => boolean);

/** Whether it is asked for, now. @throws what its function throws */
export function asks(retry: Retry): boolean {
  return typeof retry === "function" ? retry() : retry;
}

/** What nobody claimed, as the last handler passed it on. */
export interface Passed {
  readonly dispatch: Dispatch;
  /** Whether a handler wants it to be offered to those that come later. */
  readonly retry: Retry;
}

export class HandlerChain {
  readonly #first: readonly Link[];
  readonly #last: readonly Link[];
  #added: readonly Link[] = [];
  // Replaced and never changed: a dispatch on its way goes on along the links it set out with.
  #all: readonly Link[];
  #seesResponses: boolean;

  constructor(first: readonly Link[], last: readonly Link[]) {
    this.#first = first;
    this.#last = last;
    this.#all = [...first, ...last];
    this.#seesResponses = this.#all.some((link) => link.seesResponses);
  }

  get seesResponses(): boolean {
    return this.#seesResponses;
  }

  add(link: Link): void {
    this.#become([...this.#added, link]);
  }

  remove(link: Link): void {
    this.#become(this.#added.filter((other) => other !== link));
  }

  /** Undefined where it was claimed. */
  run(dispatch: Dispatch, cx: ConnectionTo): Passed | undefined | Promise<Passed | undefined> {
    return runLinks(this.#all, dispatch, cx);
  }

  #become(added: readonly Link[]): void {
    this.#added = added;
    this.#all = [...this.#first, ...added, ...this.#last];
    this.#seesResponses = this.#all.some((link) => link.seesResponses);
  }
}

/** Runs handlers that need not be a connection's. As far as they do not wait, without a promise. */
export function runLinks(
  links: readonly Link[],
  given: Dispatch,
  cx: ConnectionTo,
): Passed | undefined | Promise<Passed | undefined> {
  let dispatch = given;
  let retry: Retry = false;
  for (let i = 0; i < links.length; i++) {
    const link = links[i]!;
    if (dispatch.kind === "response" && !link.seesResponses) continue;
    const handled = link.handle(dispatch, cx as never);
    if (isThenable(handled)) return runRest(links, i + 1, dispatch, retry, handled, cx);
    if (handled === undefined || handled.handled) return undefined;
    dispatch = withMessage(dispatch, handled.message);
    retry = either(retry, handled.retry);
  }
  return { dispatch, retry };
}

async function runRest(
  links: readonly Link[],
  from: number,
  given: Dispatch,
  retried: Retry,
  waited: PromiseLike<Handled | void>,
  cx: ConnectionTo,
): Promise<Passed | undefined> {
  let dispatch = given;
  let retry: Retry = retried;
  let handled = await waited;
  for (let i = from; ; i++) {
    if (handled === undefined || handled.handled) return undefined;
    dispatch = withMessage(dispatch, handled.message);
    retry = either(retry, handled.retry);
    const link = links[i];
    if (link === undefined) return { dispatch, retry };
    if (dispatch.kind === "response" && !link.seesResponses) handled = Handled.no();
    else {
      const next = link.handle(dispatch, cx as never);
      handled = isThenable(next) ? await next : next;
    }
  }
}

// Any of them is enough.
function either(before: Retry, retry: Retry | undefined): Retry {
  if (before === true || retry === undefined || retry === false) return before;
  if (before === false || retry === true) return retry;
  return () => before() || retry();
}

function isThenable(value: unknown): value is PromiseLike<Handled | void> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === "function";
}
