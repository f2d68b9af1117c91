// What an executor says of its own accord is bounded by what it is for (X7), so that nothing it sends can take much memory
// without being the body or the output that somebody asked for. The bounds are those of the codex exec-server's client; as
// there, a message beyond them ends the connection, which is then recovered like any that is lost. Only counted, never
// copied: a delta costs a look at each of its members.
import {
  ErrorCode,
  RpcError,
  type Handler,
  type NotificationHandler,
  type SessionOptions,
} from "@sluice/session";
import type { ExecLimits } from "./client-limits.ts";
import { isLongerThan } from "./json-length.ts";

export interface Inbound {
  /** What answers the executor's calls. */
  readonly handlers: Readonly<Record<string, Handler>>;
  /** What bodies and processes hear. */
  readonly events: Readonly<Record<string, NotificationHandler>>;
}

/** The same as a session takes them, each within its limit; and so is what nobody here hears. */
export function bounded(
  { handlers, events }: Inbound,
  limits: Pick<ExecLimits, "event" | "notification">,
): Pick<SessionOptions, "handlers" | "fallback" | "notifications" | "fallbackNotification"> {
  const within =
    (limit: "event" | "notification", handler: Handler): Handler =>
    (params: unknown, context) => {
      if (!isLongerThan(context.message, limits[limit])) return handler(params, context);
      // Not waited for: whoever is told of the end may be this very call.
      void context.session.close(
        `the executor sent ${WHAT[limit]} of more than ${limits[limit]} characters (limits.${limit}, X7)`,
      );
      return undefined;
    };
  const all = (limit: "event" | "notification", table: Readonly<Record<string, Handler>>) =>
    Object.fromEntries(Object.entries(table).map(([method, handler]) => [method, within(limit, handler)]));
  return {
    handlers: all("notification", handlers),
    fallback: within("notification", () => {
      throw new RpcError(ErrorCode.methodNotFound, "method not found");
    }),
    notifications: all("event", events),
    fallbackNotification: within("notification", () => undefined),
  };
}

const WHAT = { event: "an event of a body or process", notification: "a notification or call" } as const;
