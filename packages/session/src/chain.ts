// A chain of handlers: each sees a message in turn and claims it, or passes it on, changed if it likes. The first claim
// wins. Handlers can come and go while the session runs; the later ones stand behind the earlier.
import type { Params } from "@sluice/codec";
import type { HandlerContext } from "./context.ts";
import type { NotificationHandler } from "./handlers.ts";
import type { Responder } from "./responder.ts";

/** A message on its way down the chain. */
export interface ChainMessage {
  readonly method: string;
  readonly params: Params | undefined;
}

/**
 * What a handler made of a message. `message` is what the next one gets. `retry`: where nobody claims it, a `Builder`
 * offers it to handlers that are added later, for some seconds, or as long as a function says.
 */
export type Handled =
  | { readonly handled: true }
  | { readonly handled: false; readonly message?: ChainMessage; readonly retry?: boolean | (() => boolean) };

export const Handled: {
  readonly yes: Handled;
  no(passed?: { readonly message?: ChainMessage; readonly retry?: boolean | (() => boolean) }): Handled;
} = {
  yes: { handled: true },
  no: (passed = {}) => ({ handled: false, ...passed }),
};

/** A link of the chain. Claiming a request means to answer it by `responder`, now or later. */
export interface ChainHandler {
  request?(
    request: ChainMessage,
    responder: Responder,
    context: HandlerContext,
  ): Handled | PromiseLike<Handled>;
  notification?(notification: ChainMessage, context: HandlerContext): Handled | PromiseLike<Handled>;
}

export class HandlerChain {
  readonly #links: Set<{ readonly handler: ChainHandler }> = new Set();

  constructor(handlers: readonly ChainHandler[] = []) {
    for (const handler of handlers) this.add(handler);
  }

  get isEmpty(): boolean {
    return this.#links.size === 0;
  }

  /** Adds a handler behind the others; disposing of what it returns takes it out again. */
  add(handler: ChainHandler): Disposable {
    const link = { handler };
    this.#links.add(link);
    return {
      [Symbol.dispose]: (): void => void this.#links.delete(link),
    };
  }

  /** The request as the last handler passed it on; undefined where one claimed it. */
  async request(
    request: ChainMessage,
    responder: Responder,
    context: HandlerContext,
  ): Promise<ChainMessage | undefined> {
    let now = request;
    for (const { handler } of this.#links) {
      const handled = (await handler.request?.(now, responder, context)) ?? PASSED;
      if (handled.handled) return undefined;
      now = handled.message ?? now;
    }
    return now;
  }

  async notification(
    notification: ChainMessage,
    context: HandlerContext,
    fallback: NotificationHandler | undefined,
  ): Promise<void> {
    let now = notification;
    for (const { handler } of this.#links) {
      const handled = (await handler.notification?.(now, context)) ?? PASSED;
      if (handled.handled) return;
      now = handled.message ?? now;
    }
    await fallback?.(now.params, context);
  }
}

const PASSED: Handled = { handled: false };
