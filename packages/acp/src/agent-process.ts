// Agents and proxies that are programs.
import { spawn, type ChildTransport, type SpawnOptions } from "@sluice/stdio";
import { agentCommandOf, readAgentCommand, type AgentCommand } from "./agent-command.ts";

export { agentCommandOf, readAgentCommand } from "./agent-command.ts";
export type { AgentCommand } from "./agent-command.ts";
export { ChildExitError } from "@sluice/stdio";
export type { ChildTransport, ExitStatus, SpawnOptions } from "@sluice/stdio";

/** What to start, and how to start and end it. `env` is added to our environment. */
export interface AgentProcessOptions extends AgentCommand, Omit<SpawnOptions, "env"> {}

/** Starts an agent or a proxy, for one connection; in the parts of a `Conductor`, let a function do it. */
export interface AgentProcess {
  /**
   * Starts it, without a shell, in a process group of its own, which ends with it. Where it ends while it is needed, the connection is lost
   * with a `ChildExitError` that tells how it ended and the last of its standard error. After the connection's end it has `grace.stdin` to
   * end by itself; then it is told to by SIGTERM, and `grace.term` later by SIGKILL.
   */
  (options: AgentProcessOptions): ChildTransport;
  /** Of a line as for a shell, or JSON: see `readAgentCommand`. @throws TypeError where it is neither. */
  fromString(text: string, options?: SpawnOptions): ChildTransport;
  /** Of words: those in front that say `NAME=value` are its environment. @throws TypeError where no program is among them. */
  fromArgs(words: readonly string[], options?: SpawnOptions): ChildTransport;
}

export const agentProcess: AgentProcess = Object.assign(
  ({ command, args, ...options }: AgentProcessOptions): ChildTransport => spawn(command, args, options),
  {
    fromString: (text: string, options?: SpawnOptions): ChildTransport =>
      start(readAgentCommand(text), options),
    fromArgs: (words: readonly string[], options?: SpawnOptions): ChildTransport =>
      start(agentCommandOf(words), options),
  },
);

/** Claude, by its adapter; `npx` fetches it. */
export function claudeAgent(options?: SpawnOptions): ChildTransport {
  return agentProcess.fromArgs(["npx", "-y", "@agentclientprotocol/claude-agent-acp@latest"], options);
}

/** Codex, by its adapter; `npx` fetches it. */
export function codexAgent(options?: SpawnOptions): ChildTransport {
  return agentProcess.fromArgs(["npx", "-y", "@agentclientprotocol/codex-acp@latest"], options);
}

function start({ command, args, env }: AgentCommand, options: SpawnOptions = {}): ChildTransport {
  return spawn(command, args, { ...options, env: { ...options.env, ...env } });
}
