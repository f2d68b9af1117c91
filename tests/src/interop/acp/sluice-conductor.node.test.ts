import { beforeAll, describe, expect, it } from "vitest";
import { BUILD, MINUTES, onNode, path, unmet } from "./built.testing.ts";
import { behind, conductorChain } from "./chain.ts";
import { runCases } from "./run.ts";
import { rustPeer, type Built } from "./rust-peer.ts";
import { rustProxy } from "./rust.ts";
import { sdk24Client } from "./sdk.ts";
import { sdk24Agent } from "./sdk-peers.ts";
import { sluiceAgent, sluiceChain, sluiceClient, sluiceConductor } from "./sluice.ts";

describe.runIf(onNode)("the conductor of @sluice/acp", () => {
  let peer: Built;

  beforeAll(async () => {
    peer = await rustPeer();
  }, BUILD);

  it.each([1, 3])(
    "puts our proxies between the SDK's ends: %i",
    async (proxies) => {
      const agent = behind(sluiceChain, sdk24Agent, proxies);
      expect(unmet(await runCases({ client: sdk24Client, agent, arrows: proxies }))).toEqual([]);
    },
    MINUTES,
  );

  it.for([1, 3])("starts proxies in Rust: %i", { timeout: MINUTES }, async (proxies, context) => {
    const chain = conductorChain("mixed", sluiceConductor, rustProxy(path(peer, context)));
    const agent = behind(chain, sluiceAgent, proxies);
    expect(unmet(await runCases({ client: sluiceClient, agent, arrows: proxies }))).toEqual([]);
  });
});
