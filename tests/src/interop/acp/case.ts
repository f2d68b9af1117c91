import type { AcpBench } from "./bench.ts";

/** A program and its arguments. */
export type Command = readonly [command: string, ...args: string[]];

/** What an agent does in a turn: what the prompt's words say (see cases.ts), or the one turn of the SDK's example. */
export type Script = "words" | "example";

/** An agent to test clients against, in a process of its own that speaks on its standard streams. */
export interface AcpAgentUnderTest {
  readonly name: string;
  readonly script: Script;
  /** Starts it. */
  readonly command: Command;
}

/** A client to test against agents, driven by the cases from this process. */
export interface AcpClientUnderTest {
  readonly name: string;
  /**
   * Starts the agent and speaks with it. Sends nothing by itself, not even `initialize`.
   * @throws where the agent cannot be started.
   */
  connect(agent: Command, host: AcpHost): Promise<AcpConnection>;
}

/** What the client does for its agent. */
export interface AcpHost {
  /**
   * Answers a request of the agent's: by what it settles with, or as -32601 where it throws `MethodNotFound`. The client
   * hands on params as it has validated them. Only methods of ACP's and `_test/echo` come here.
   */
  request(method: string, params: unknown): Promise<unknown>;
  /** Told of `session/update` and `_test/note`, in the order of the wire. */
  notification(method: string, params: unknown): void;
}

/** A connection of a client to its agent. */
export interface AcpConnection {
  /**
   * The agent's result, after every notification that came before it has been told to the host. Aborting `signal` sends
   * `$/cancel_request`, and what the agent answers is waited for.
   * @throws an error with the answer's `code`, where the agent answers with one.
   */
  request(method: string, params: unknown, signal?: AbortSignal): Promise<unknown>;
  notify(method: string, params: unknown): Promise<void>;
  /** Ends the connection and the agent. Settles once the agent's process has ended. */
  close(): Promise<void>;
}

/** One thing a client and an agent must do with one another. */
export interface AcpCase {
  readonly name: string;
  /** The agents it is for. */
  readonly script: Script;
  run(bench: AcpBench): Promise<void>;
}
