import { beforeAll, describe, expect, it } from "vitest";
import { BUILD, MINUTES, onNode, path, unmet } from "./built.testing.ts";
import { behind, conductorChain } from "./chain.ts";
import { runProgram } from "./program.ts";
import { runCases } from "./run.ts";
import { rustConductor, rustPeer, type Built } from "./rust-peer.ts";
import { rustAgent, rustClient } from "./rust.ts";
import { sdk19Client, sdk24Client } from "./sdk.ts";
import { sdk19Agent, sdk24Agent } from "./sdk-peers.ts";
import { sluiceAgent, sluiceClient, sluiceProxy } from "./sluice.ts";

describe("@sluice/acp and the SDK do with one another all that the cases ask", () => {
  it.each([
    { client: sluiceClient, agent: sluiceAgent },
    { client: sluiceClient, agent: sdk24Agent },
    { client: sdk24Client, agent: sluiceAgent },
    { client: sdk19Client, agent: sluiceAgent },
  ])(
    "client $client.name, agent $agent.name",
    async ({ client, agent }) => {
      expect(unmet(await runCases({ client, agent }))).toEqual([]);
    },
    MINUTES,
  );

  it(
    "a client of ours runs the turn of SDK 1.9's example agent",
    async () => {
      const results = await runCases({ client: sluiceClient, agent: sdk19Agent });
      expect(results.map(({ status, reason }) => reason ?? status)).toEqual(Array(4).fill("passed"));
    },
    MINUTES,
  );
});

describe.runIf(onNode)(
  "@sluice/acp and the protocol's Rust crate do with one another all that the cases ask",
  () => {
    let peer: Built;
    let conductor: Built;

    beforeAll(async () => {
      peer = await rustPeer();
      conductor = await rustConductor();
    }, BUILD);

    it("client of ours, agent in Rust", { timeout: MINUTES }, async (context) => {
      const agent = rustAgent(path(peer, context));
      expect(unmet(await runCases({ client: sluiceClient, agent }))).toEqual([]);
    });

    it("client in Rust, agent of ours", { timeout: MINUTES }, async (context) => {
      expect(unmet(await runProgram(rustClient(path(peer, context)), sluiceAgent))).toEqual([]);
    });

    it.for([1, 3])(
      "the conductor in Rust starts our proxies: %i",
      { timeout: MINUTES },
      async (proxies, context) => {
        const chain = conductorChain("mixed", [path(conductor, context)], sluiceProxy);
        const agent = behind(chain, sluiceAgent, proxies);
        expect(unmet(await runCases({ client: sluiceClient, agent, arrows: proxies }))).toEqual([]);
      },
    );
  },
);
