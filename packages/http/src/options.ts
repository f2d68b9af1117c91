import type { Transport } from "@sluice/transport";
import type { GuardOptions } from "@sluice/transport/guard";
import type { EventStore } from "./event-store.ts";
import type { DialLimits, HttpLimits } from "./limits.ts";

/** The media type of the frames wire's bodies (PROTOCOL.md, P). */
export const FRAMES_TYPE = "application/vnd.sluice.frames";

/** Names that both ends must agree on. */
export interface HeaderOptions {
  /** Header that names the session. Default `Mcp-Session-Id`. */
  readonly sessionHeader?: string;
  /** Header that names the protocol's version (mcp wire). Default `MCP-Protocol-Version`. */
  readonly versionHeader?: string;
}

/** What sends a request: the runtime's `fetch`, or anything that answers as it does. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** How to reach a server. */
export interface DialOptions extends HeaderOptions {
  /** `mcp` (default): Streamable HTTP, as any MCP server speaks it. `frames`: binary frames, with another Sluice peer. */
  readonly wire?: "mcp" | "frames";
  /** Default: the runtime's own. */
  readonly fetch?: Fetch;
  /** Headers of every request, or what gives them, asked before each: a token that expires. */
  readonly headers?: HeadersInit | (() => HeadersInit | Promise<HeadersInit>);
  /** Aborts the transport, with code `aborted` and the signal's reason as cause. */
  readonly signal?: AbortSignal;
  /** Bytes (for text: UTF-16 units) that may wait before `write` returns false. Default 1 MiB. */
  readonly highWater?: number;
  readonly limits?: Partial<DialLimits>;
  /**
   * How the frames wire sends. `posts` (default): one POST after another, which passes everywhere. `stream`: one POST
   * whose body lasts as long as the session; not in browsers, and proxies that buffer requests stop it.
   */
  readonly upload?: "posts" | "stream";
}

/** What a runtime knows of a request beyond the request itself. */
export interface RequestInfo {
  /** The address the server listens on, such as `127.0.0.1`. */
  readonly bound?: string | undefined;
  /** The address of the client. */
  readonly peer?: string | undefined;
  /** All `Host` headers, where the runtime tells; a request with more than one is refused. Default: what the request says. */
  readonly hosts?: readonly string[] | undefined;
}

/** Who is served, and how. */
export interface HandlerOptions extends GuardOptions, HeaderOptions, McpServerOptions {
  /**
   * Gets the transport of each new session, not started, and the request that opened it. The session's first message is
   * delivered, and its request answered, once the transport was started. If it throws, the session ends and the request
   * is answered 500.
   */
  onSession(transport: Transport, request: Request): void;
  /**
   * Judges every request, of new and old sessions. `false` is answered 401, a `Response` is the answer; an exception is
   * answered 500. Default: everybody who passes the guard.
   */
  authorize?(request: Request): boolean | Response | Promise<boolean | Response>;
  /** The only path that is served, such as `/mcp`; others are answered 404. Default: any. */
  readonly path?: string;
  /** Whose session it is, for `sessionsPerClient`. Default: the client's address, where the runtime tells. */
  clientOf?(request: Request, info: RequestInfo): string;
  readonly limits?: Partial<HttpLimits>;
}

/** How the mcp wire is served. */
export interface McpServerOptions {
  /** How a request is answered: as a stream that carries messages before the answer (default), or as one JSON body. */
  readonly answers?: "stream" | "json";
  /** Keeps what was sent, so that a response that was cut can be resumed. Default: in memory, within `keptEvents` and `keptBytes`. */
  readonly store?: EventStore;
  /** Versions that may be named in the version header; others are answered 400. `any` for dialects that have none. Default: MCP's. */
  readonly versions?: readonly string[] | "any";
}

/** Who is served, how, and where. */
export interface ServeOptions extends HandlerOptions {
  /** Default 0: a free one, see `Server.port`. */
  readonly port?: number;
  /** Address to listen on. Default `127.0.0.1`: this machine only. */
  readonly hostname?: string;
  /** Closes the server. */
  readonly signal?: AbortSignal;
}

/** A web handler, for any server that speaks in `Request` and `Response`. */
export interface Handler {
  /** Answers a request. Never rejects. */
  fetch(request: Request, info?: RequestInfo): Promise<Response>;
  /** Sessions there are now. */
  readonly sessions: number;
  /** Aborts all sessions, with code `aborted` and the reason, and answers 503 from now on. */
  close(reason?: string): Promise<void>;
}

/** A server that listens. */
export interface Server extends AsyncDisposable {
  /** Such as `http://127.0.0.1:8080/`, with the path that is served. */
  readonly url: string;
  readonly port: number;
  /** Sessions there are now. */
  readonly sessions: number;
  /** Aborts all sessions and stops listening. Resolves when the port is free, at the latest after `limits.grace`; may be called again. */
  close(reason?: string): Promise<void>;
}
