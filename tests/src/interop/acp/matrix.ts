// Every client with every agent, with no proxy between them and with one and three.
import type { AcpAgentUnderTest, AcpClientUnderTest } from "./case.ts";
import { casesOf } from "./cases.ts";
import { behind, type AcpChainUnderTest } from "./chain.ts";
import { runProgram, type AcpClientProgram } from "./program.ts";
import { runCases, type AcpResult } from "./run.ts";
import { rustConductor, rustPeer } from "./rust-peer.ts";
import { rustAgent, rustChain, rustClient } from "./rust.ts";
import { sdk19Client, sdk24Client } from "./sdk.ts";
import { sdk19Agent, sdk24Agent } from "./sdk-peers.ts";

export interface AcpCell {
  readonly client: AcpClientUnderTest | AcpClientProgram;
  readonly agent: AcpAgentUnderTest;
  readonly proxies: number;
  /** Undefined where there are no proxies. */
  readonly chain: AcpChainUnderTest | undefined;
}

export interface AcpMatrix {
  readonly cells: readonly AcpCell[];
  /** What is not there, and why. */
  readonly absent: readonly string[];
  /** What should be there and is not: it does not build. */
  readonly broken: readonly string[];
}

const PROXIES = [1, 3];

/** Builds what has to be built, and says what there is. */
export async function matrix(): Promise<AcpMatrix> {
  const clients: (AcpClientUnderTest | AcpClientProgram)[] = [sdk24Client, sdk19Client];
  const agents: AcpAgentUnderTest[] = [sdk24Agent, sdk19Agent];
  const chains: AcpChainUnderTest[] = [];
  const absent: string[] = [];
  const broken: string[] = [];
  const peer = await rustPeer();
  const conductor = await rustConductor();
  for (const built of [peer, conductor])
    if ("reason" in built) (built.why === "build failed" ? broken : absent).push(built.reason);
  if ("path" in peer) {
    clients.push(rustClient(peer.path));
    agents.push(rustAgent(peer.path));
    if ("path" in conductor) chains.push(rustChain(conductor.path, peer.path));
  }
  const pairs = agents.flatMap((agent) =>
    clients.filter((client) => speaks(client, agent)).map((client) => ({ client, agent })),
  );
  const cells: AcpCell[] = pairs.map((pair) => ({ ...pair, proxies: 0, chain: undefined }));
  for (const chain of chains)
    for (const proxies of PROXIES) cells.push(...pairs.map((pair) => ({ ...pair, proxies, chain })));
  return { cells, absent, broken };
}

function speaks(client: AcpCell["client"], agent: AcpAgentUnderTest): boolean {
  return !("scripts" in client) || client.scripts.includes(agent.script);
}

/** How many cases a cell has. */
export function sizeOf({ agent }: AcpCell): number {
  return casesOf(agent.script).length;
}

/** Runs the cases of a cell. Never rejects. */
export function runCell(
  { client, agent, proxies, chain }: AcpCell,
  onResult: (result: AcpResult) => void = () => {},
): Promise<readonly AcpResult[]> {
  const far = chain === undefined ? agent : behind(chain, agent, proxies);
  if ("command" in client) return runProgram(client, far, proxies, onResult);
  return runCases({ client, agent: far, arrows: proxies, onResult });
}
