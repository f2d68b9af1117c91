import type { Session } from "@sluice/session";
import { ExecError } from "./client-error.ts";
import { HttpError } from "./http-error.ts";
import type { Link } from "./link.ts";

/** The link as requests have it: where there is no session, they are told by an error of theirs. */
export function httpLink(link: Link): Link {
  return {
    session: (): Promise<Session> => link.session().catch(refuse),
    get capabilities() {
      return link.capabilities;
    },
    nextRequestId: () => link.nextRequestId(),
  };
}

function refuse(cause: unknown): never {
  if (!(cause instanceof ExecError)) throw cause;
  throw new HttpError("disconnected", `http/request was not sent: ${cause.message}`, {
    cause,
    mayHaveRun: false,
  });
}
