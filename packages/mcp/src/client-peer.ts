// One client of a server: what it said of itself when it opened the session, and what it wants to hear.
import type { Session } from "@sluice/session";
import { isWanted, type LogLevel } from "./log-level.ts";

/** What a client says of itself. */
export interface ClientInfo {
  readonly name: string;
  readonly version: string;
  readonly title?: string;
}

/** A client, as a tool sees it. */
export interface ClientPeer {
  readonly info: ClientInfo;
  /** What it can do, such as `sampling`, `elicitation`, `roots`. */
  readonly capabilities: Readonly<Record<string, unknown>>;
  /** The version of MCP that was settled. */
  readonly protocolVersion: string;
}

export class Peer implements ClientPeer {
  readonly info: ClientInfo;
  readonly capabilities: Readonly<Record<string, unknown>>;
  readonly protocolVersion: string;
  readonly subscribed: Set<string> = new Set();
  /** The least that it wants to hear. Until it says: everything (MCP "Logging" leaves that to the server). */
  level: LogLevel = "debug";
  readonly #session: Session;

  constructor(session: Session, said: ClientPeer) {
    this.#session = session;
    this.info = said.info;
    this.capabilities = said.capabilities;
    this.protocolVersion = said.protocolVersion;
  }

  /** Settles when it has been handed over, or cannot be any more. */
  async notify(method: string, params?: object): Promise<void> {
    try {
      await this.#session.notify(`notifications/${method}`, params);
    } catch (error) {
      // The session is over, and whoever holds it knows.
      if (this.#session.error === undefined) throw error;
    }
  }

  async log(level: LogLevel, data: unknown, logger: string | undefined): Promise<void> {
    if (isWanted(level, this.level))
      await this.notify("message", { level, data, ...(logger !== undefined && { logger }) });
  }
}
