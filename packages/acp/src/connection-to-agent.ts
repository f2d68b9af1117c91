import { ConnectionTo } from "@sluice/session/builder";
import type { NewSessionRequest } from "./generated/v1.ts";
import { SessionBuilder } from "./session-builder.ts";

/** What a client has of its connection. */
export class ConnectionToAgent extends ConnectionTo {
  /** A session to be: in this folder, an absolute path, or with these params. */
  buildSession(where: string | NewSessionRequest): SessionBuilder {
    return new SessionBuilder(this, typeof where === "string" ? { cwd: where, mcpServers: [] } : where);
  }
}
