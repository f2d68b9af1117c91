// The seam between the handler, which knows requests and sessions but no wire, and the two wires.
import type { Transport, TransportError } from "@sluice/transport";
import type { HeaderNames } from "./header-names.ts";
import type { HttpLimits } from "./limits.ts";

/** One client's session at the server, in one of the two wires. */
export interface ServerSession {
  /** Given to `onSession`, not started. */
  readonly transport: Transport;
  /** Requests and responses under way: while there are any the session does not expire. */
  readonly open: number;
  /** A later request that names this session: POST, GET, DELETE or another method. Never rejects. */
  handle(request: Request): Promise<Response>;
  /** Ends it at once: expiry, or the server closes. `ended` is called in this turn. */
  abort(error?: TransportError): void;
}

/** What the request that opens a session makes. */
export interface Opening {
  readonly session: ServerSession;
  /** Its answer. Nothing of the request's body is delivered, and this stays unsettled, before the transport was started. Never rejects. */
  readonly response: Promise<Response>;
}

/** What a session is given by the handler. */
export interface SessionContext {
  readonly id: string;
  readonly limits: HttpLimits;
  readonly headers: HeaderNames;
  /** The session is over: the handler forgets it. May be called more than once. */
  ended(): void;
}
