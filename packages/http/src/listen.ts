// What is the same for a server on every runtime; `node.ts`, `deno.ts` and `bun.ts` bring what listens.
import { handler } from "./handler.ts";
import { HTTP_LIMITS } from "./limits.ts";
import type { RequestInfo, ServeOptions, Server } from "./options.ts";

/** A runtime's own server, listening. */
export interface Listener {
  readonly port: number;
  /** Takes no more connections. Resolves when those there are have ended. */
  stop(): Promise<unknown>;
  /** Ends all connections at once. */
  cut(): void;
}

/** What a runtime's server is given. */
export interface ListenOptions {
  readonly port: number;
  readonly hostname: string;
  /** For how long a connection may take to send a request's head, in ms; where the runtime can tell. */
  readonly headTime: number;
  fetch(request: Request, info: RequestInfo): Promise<Response>;
}

/** Serves with what a runtime listens with. Rejects where that does not. */
export async function serveWith(
  listen: (options: ListenOptions) => Promise<Listener>,
  options: ServeOptions,
): Promise<Server> {
  const made = handler(options);
  const { port = 0, hostname = "127.0.0.1", path = "/", signal } = options;
  const limits = { ...HTTP_LIMITS, ...options.limits };
  signal?.throwIfAborted();
  let listener: Listener;
  try {
    listener = await listen({
      port,
      hostname,
      headTime: limits.bodyTime,
      fetch: (request, info) => made.fetch(request, { bound: hostname, ...info }),
    });
  } catch (cause) {
    const reason = cause instanceof Error ? `: ${cause.message}` : "";
    throw new Error(`serve: cannot listen on port ${port} of ${hostname}${reason}`, { cause });
  }

  let closed: Promise<void> | undefined;
  const close = async (reason?: string): Promise<void> => {
    signal?.removeEventListener("abort", onAbort);
    await made.close(reason);
    const stopped = listener.stop();
    const timer = setTimeout(() => listener.cut(), limits.grace);
    await stopped;
    clearTimeout(timer);
  };
  const server: Server = {
    url: `http://${authority(hostname)}:${listener.port}${path}`,
    port: listener.port,
    get sessions() {
      return made.sessions;
    },
    close: (reason) => (closed ??= close(reason)),
    [Symbol.asyncDispose]: () => server.close(),
  };
  const onAbort = (): void => void server.close("the signal given to serve was aborted");
  signal?.addEventListener("abort", onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  return server;
}

/** Where this machine reaches an address, as a URL spells it. */
function authority(hostname: string): string {
  if (hostname === "0.0.0.0") return "127.0.0.1";
  if (hostname === "::") return "[::1]";
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}
