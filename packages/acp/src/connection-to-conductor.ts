import type { Role } from "@sluice/session/builder";
import { ConnectionToAgent } from "./connection-to-agent.ts";
import { peerOf } from "./peer-of.ts";

/** What a proxy has of its connection. Its peers are `Client`, before it, and `Agent`, behind it, to which it is a client. */
export class ConnectionToConductor extends ConnectionToAgent {
  /** Whom the proxy stands before. */
  get client(): Role {
    return peerOf(this.role, "Client");
  }
}
