import type { SessionError } from "@sluice/core";
import type { CloseCause } from "@sluice/transport";

/** What a transport is told of why a session ended. */
export const CAUSE: Readonly<Record<SessionError["code"], CloseCause>> = {
  closed: "done",
  drained: "done",
  lost: "failed",
  protocol: "protocol",
  limit: "limit",
  greeting: "protocol",
  timeout: "timeout",
};
