import { beforeAll, describe, expect, it } from "vitest";
import { BUILD, MINUTES, onNode, path, unmet } from "./built.testing.ts";
import { behind } from "./chain.ts";
import { runProgram } from "./program.ts";
import { runCases } from "./run.ts";
import { rustConductor, rustPeer, type Built } from "./rust-peer.ts";
import { rustAgent, rustChain, rustClient } from "./rust.ts";
import { sdk24Client } from "./sdk.ts";
import { sdk24Agent } from "./sdk-peers.ts";

let peer: Built;
let conductor: Built;

describe.runIf(onNode)("the protocol's own Rust crate", () => {
  beforeAll(async () => {
    peer = await rustPeer();
  }, BUILD);

  it(
    "is an agent that does all that the SDK's client asks of it",
    async (context) => {
      expect(unmet(await runCases({ client: sdk24Client, agent: rustAgent(path(peer, context)) }))).toEqual(
        [],
      );
    },
    MINUTES,
  );

  it(
    "is a client whose every case the SDK's agent passes",
    async (context) => {
      expect(unmet(await runProgram(rustClient(path(peer, context)), sdk24Agent))).toEqual([]);
    },
    MINUTES,
  );

  it(
    "is both ends",
    async (context) => {
      const at = path(peer, context);
      expect(unmet(await runProgram(rustClient(at), rustAgent(at)))).toEqual([]);
    },
    MINUTES,
  );
});

describe.runIf(onNode)("the conductor of the Rust crate", () => {
  beforeAll(async () => {
    peer = await rustPeer();
    conductor = await rustConductor();
  }, BUILD);

  it.for([1, 3])(
    "puts proxies between the SDK's ends, each of which every text goes through: %i",
    { timeout: MINUTES },
    async (proxies, context) => {
      const chain = rustChain(path(conductor, context), path(peer, context));
      const agent = behind(chain, sdk24Agent, proxies);
      expect(unmet(await runCases({ client: sdk24Client, agent, arrows: proxies }))).toEqual([]);
    },
  );
});
