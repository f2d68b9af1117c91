import type { AcceptOptions } from "./accept.ts";

export interface ServeOptions extends AcceptOptions {
  /** Default 0: any free one. */
  readonly port?: number;
  /** Default `127.0.0.1`: reachable from this machine alone. */
  readonly hostname?: string;
  /** The only path that is served. Default: all of them. */
  readonly path?: string;
  /** PEM texts; with them the server speaks `wss:`. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Closes the server when it aborts. */
  readonly signal?: AbortSignal;
}

/** A server that runs. */
export interface Server {
  /** Where to dial it, such as `ws://127.0.0.1:8080/path`. */
  readonly url: string;
  readonly port: number;
  /** Connections that are open. */
  readonly sessions: number;
  /** Stops listening and closes every connection with 1001. Settles when all are gone. May be called again. */
  close(reason?: string): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** What is the same on every runtime about a server that listens. */
export function serverOf(
  options: ServeOptions,
  address: { readonly port: number; readonly hostname: string },
  sessions: () => number,
  stop: (reason: string) => Promise<void>,
): Server {
  const host = address.hostname.includes(":") ? `[${address.hostname}]` : address.hostname;
  const scheme = options.tls === undefined ? "ws" : "wss";
  let closed: Promise<void> | undefined;
  const onAbort = (): void => void close();
  const close = (reason: string = "the server is closing"): Promise<void> => {
    options.signal?.removeEventListener("abort", onAbort);
    return (closed ??= stop(reason));
  };
  if (options.signal?.aborted === true) onAbort();
  else options.signal?.addEventListener("abort", onAbort);
  return {
    url: `${scheme}://${host}:${address.port}${options.path ?? "/"}`,
    port: address.port,
    get sessions() {
      return sessions();
    },
    close,
    [Symbol.asyncDispose]: () => close(),
  };
}
