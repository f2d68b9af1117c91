import { ConnectionTo, type Role } from "@sluice/session/builder";
import {
  LoadSessionRequest,
  NewSessionRequest,
  ResumeSessionRequest,
  type LoadSessionResponse,
  type ResumeSessionResponse,
} from "./generated/v1.ts";
import { peerOf } from "./peer-of.ts";
import { SessionBuilder, type Replay } from "./session-builder.ts";

/** What a client has of its connection. */
export class ConnectionToAgent extends ConnectionTo {
  /** Whom sessions are asked of. */
  get agent(): Role {
    return peerOf(this.role, "Agent");
  }

  /** A session to be: in this folder, an absolute path, or with these params. */
  buildSession(where: string | NewSessionRequest): SessionBuilder {
    return this.buildSessionFrom(typeof where === "string" ? { cwd: where, mcpServers: [] } : where);
  }

  buildSessionFrom(request: NewSessionRequest): SessionBuilder {
    return new SessionBuilder(this, {
      type: NewSessionRequest,
      params: request,
      idOf: ({ sessionId }) => sessionId,
    });
  }

  /**
   * A session there has been before. The agent tells its history before it answers: `replay` is given each update of it, and the
   * connection waits for what it returns. Default: the history is passed over.
   */
  loadSession(request: LoadSessionRequest, replay: Replay = () => {}): SessionBuilder<LoadSessionResponse> {
    const { sessionId } = request;
    return new SessionBuilder(this, {
      type: LoadSessionRequest,
      params: request,
      idOf: () => sessionId,
      history: { sessionId, replay },
    });
  }

  /** A session there has been before, without its history. */
  resumeSession(request: ResumeSessionRequest): SessionBuilder<ResumeSessionResponse> {
    const { sessionId } = request;
    return new SessionBuilder(this, { type: ResumeSessionRequest, params: request, idOf: () => sessionId });
  }
}
