// The peers on the protocol's own Rust crate, once they are built.
import { conductorChain, type AcpChainUnderTest } from "./chain.ts";
import type { AcpAgentUnderTest, Command } from "./case.ts";
import type { AcpClientProgram } from "./program.ts";

const NAME = "Rust 5.0";

export function rustAgent(peer: string): AcpAgentUnderTest {
  return { name: NAME, script: "words", command: [peer, "agent"] };
}

export function rustClient(peer: string): AcpClientProgram {
  return { name: NAME, scripts: ["words"], command: [peer, "client"] };
}

export function rustProxy(peer: string): Command {
  return [peer, "proxy"];
}

export function rustChain(conductor: string, peer: string): AcpChainUnderTest {
  return conductorChain(NAME, [conductor], rustProxy(peer));
}
