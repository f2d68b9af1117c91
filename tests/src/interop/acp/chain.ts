import type { AcpAgentUnderTest, Command } from "./case.ts";

/** What puts proxies between a client and an agent: a conductor, and the proxy that it starts. */
export interface AcpChainUnderTest {
  readonly name: string;
  /** The command of an agent that is the given one behind so many proxies, each of which puts a `>` before a text. */
  wrap(agent: Command, proxies: number): Command;
}

/** A conductor with the command line of the crate's own: `agent <proxy> … <agent>`, a part as JSON each. */
export function conductorChain(name: string, conductor: Command, proxy: Command): AcpChainUnderTest {
  return {
    name,
    wrap(agent, proxies) {
      const parts = [...Array.from({ length: proxies }, () => proxy), agent];
      return [...conductor, "agent", ...parts.map(([command, ...args]) => JSON.stringify({ command, args }))];
    },
  };
}

/** The agent behind so many proxies. */
export function behind(
  chain: AcpChainUnderTest,
  agent: AcpAgentUnderTest,
  proxies: number,
): AcpAgentUnderTest {
  return { ...agent, command: chain.wrap(agent.command, proxies) };
}
