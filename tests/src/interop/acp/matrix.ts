// Every client with every agent that it has cases for. Those that know the words also with one proxy and with three between
// them, by our conductor and by the Rust crate's; each of these with the other's proxies, too, for one client and agent.
import type { AcpAgentUnderTest, AcpClientUnderTest } from "./case.ts";
import { casesOf } from "./cases.ts";
import { behind, conductorChain, type AcpChainUnderTest } from "./chain.ts";
import { runProgram, type AcpClientProgram } from "./program.ts";
import { runCases, type AcpResult } from "./run.ts";
import { rustConductor, rustPeer } from "./rust-peer.ts";
import { rustAgent, rustChain, rustClient, rustProxy } from "./rust.ts";
import { sdk19Client, sdk24Client } from "./sdk.ts";
import { sdk19Agent, sdk24Agent } from "./sdk-peers.ts";
import { sluiceAgent, sluiceChain, sluiceClient, sluiceConductor, sluiceProxy } from "./sluice.ts";

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

type AnyClient = AcpCell["client"];

/** Builds what has to be built, and says what there is. */
export async function matrix(): Promise<AcpMatrix> {
  const clients: AnyClient[] = [sluiceClient, sdk24Client, sdk19Client];
  const agents: AcpAgentUnderTest[] = [sluiceAgent, sdk24Agent, sdk19Agent];
  const chains: AcpChainUnderTest[] = [sluiceChain];
  const mixed: AcpChainUnderTest[] = [];
  const peer = await rustPeer();
  const conductor = await rustConductor();
  if ("path" in peer) {
    clients.push(rustClient(peer.path));
    agents.push(rustAgent(peer.path));
    mixed.push(conductorChain("Rust 5.0 by Sluice", sluiceConductor, rustProxy(peer.path)));
    if ("path" in conductor) {
      chains.push(rustChain(conductor.path, peer.path));
      mixed.push(conductorChain("Sluice by Rust 5.0", [conductor.path], sluiceProxy));
    }
  }
  const pairs = agents.flatMap((agent) =>
    clients.filter((client) => speaks(client, agent)).map((client) => ({ client, agent })),
  );
  const ours = [{ client: sluiceClient, agent: sluiceAgent }];
  const cells: AcpCell[] = pairs.map((pair) => ({ ...pair, proxies: 0, chain: undefined }));
  for (const proxies of PROXIES) {
    for (const chain of chains)
      for (const pair of pairs) if (pair.agent.script === "words") cells.push({ ...pair, proxies, chain });
    for (const chain of mixed) for (const pair of ours) cells.push({ ...pair, proxies, chain });
  }
  const missing = [peer, conductor].filter((built) => "reason" in built);
  return {
    cells,
    absent: missing.filter(({ why }) => why !== "build failed").map(({ reason }) => reason),
    broken: missing.filter(({ why }) => why === "build failed").map(({ reason }) => reason),
  };
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
