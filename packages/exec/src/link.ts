import type { Session } from "@sluice/session";

/** What the parts of a client (HTTP, processes, files) hold on to: one client, over as many sessions as it takes. */
export interface Link {
  /**
   * The session that is live. While a lost one is being recovered it waits for the next, or rejects at once where the
   * client's policy is `fail`; rejects with the reason, an `ExecError`, once the client is over.
   */
  session(): Promise<Session>;
  /** What the executor says it can do, by name; of the last session. */
  readonly capabilities: Readonly<Record<string, unknown>>;
  /** `http-1`, `http-2`, …: never the same twice in one client, whatever becomes of its sessions. */
  nextRequestId(): string;
}
