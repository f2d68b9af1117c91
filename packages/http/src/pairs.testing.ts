import type { Transport, TransportEvents } from "@sluice/transport";
import type { Pair } from "@sluice/transport/compliance";
import { dial } from "./dial.ts";
import { handler } from "./handler.ts";
import type { DialOptions, Fetch, Handler, HandlerOptions } from "./options.ts";

/** A handler, what reaches it without a socket, and the server's end of each session in the order they were opened. */
export interface Direct {
  readonly handler: Handler;
  readonly fetch: Fetch;
  /** The next session's transport at the server. */
  accepted(): Promise<Transport>;
}

export const URL_OF_DIRECT = "http://localhost/";

export function direct(options: Partial<HandlerOptions> = {}): Direct {
  const queue = new Queue<Transport>();
  const made = handler({ onSession: (transport) => queue.push(transport), ...options });
  const fetch: Fetch = (url, init) => made.fetch(new Request(url, init));
  return { handler: made, fetch, accepted: () => queue.next() };
}

/** Both ends of a session that is open; neither end is started. */
export async function directPair(
  options: DialOptions = {},
  serverOptions: Partial<HandlerOptions> = {},
): Promise<Pair> {
  const server = direct(serverOptions);
  const left = connected(dial(URL_OF_DIRECT, { fetch: server.fetch, ...options }));
  const dispose = (): Promise<void> => server.handler.close("the test is over");
  return { left, right: await server.accepted(), dispose };
}

/**
 * A client connects when it is started, and the cases of the compliance kit want both ends before that: so it is
 * started, and paused until it is started again.
 */
export function connected(transport: Transport): Transport {
  let events: TransportEvents | undefined;
  let closed: (() => void) | undefined;
  transport.start({
    onData: (chunk) => events?.onData(chunk),
    onDrain: () => events?.onDrain(),
    onEnd: () => events?.onEnd(),
    onClose: (error) => {
      closed = () => events?.onClose(error);
      if (events !== undefined) closed();
    },
  });
  transport.pause();
  return {
    unit: transport.unit,
    label: transport.label,
    start: (to) => {
      events = to;
      if (closed !== undefined) queueMicrotask(closed);
      transport.resume();
    },
    write: (chunks) => transport.write(chunks),
    pause: () => transport.pause(),
    resume: () => transport.resume(),
    close: (reason, cause) => transport.close(reason, cause),
    abort: (error) => transport.abort(error),
  };
}

/** What comes later than it is asked for. */
export class Queue<T> {
  readonly #items: T[] = [];
  readonly #waiting: ((item: T) => void)[] = [];

  push(item: T): void {
    const first = this.#waiting.shift();
    if (first === undefined) this.#items.push(item);
    else first(item);
  }

  next(): Promise<T> {
    const item = this.#items.shift();
    return item === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(item);
  }
}
