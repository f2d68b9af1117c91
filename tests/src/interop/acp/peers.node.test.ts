import { describe, expect, it } from "vitest";
import { casesOf } from "./cases.ts";
import { runProgram } from "./program.ts";
import { runCases, type AcpResult } from "./run.ts";
import { sdk19Client, sdk24Client } from "./sdk.ts";
import { sdk19Agent, sdk19Program, sdk24Agent, sdk24Program } from "./sdk-peers.ts";

const MINUTES = 300_000;

function failed(results: readonly AcpResult[]): readonly AcpResult[] {
  return results.filter(({ status }) => status !== "passed");
}

describe("the peers on the SDK do with one another all that the cases ask", () => {
  it.each([
    { client: sdk24Client, agent: sdk24Agent },
    { client: sdk19Client, agent: sdk24Agent },
    { client: sdk24Client, agent: sdk19Agent },
    { client: sdk19Client, agent: sdk19Agent },
  ])(
    "client $client.name, agent $agent.name",
    async ({ client, agent }) => {
      const results = await runCases({ client, agent });
      expect(failed(results)).toEqual([]);
      expect(results.map(({ name }) => name)).toEqual(casesOf(agent.script).map(({ name }) => name));
    },
    MINUTES,
  );

  it.each([sdk24Program, sdk19Program])(
    "client $name, and tells what it has seen",
    async (client) => {
      const results = await runProgram(client, sdk24Agent);
      expect(failed(results)).toEqual([]);
      const saw = new Map(results.map((result) => [result.name, result.saw]));
      expect(saw.get("10,000 updates come in order, and before the answer")).toEqual({
        updates: 10_000,
        asked: [],
      });
      expect(saw.get("a file is read and written through the client")).toEqual({
        updates: 1,
        asked: ["fs/read_text_file", "fs/write_text_file"],
      });
    },
    MINUTES,
  );
});

describe("the cases tell what is wrong", () => {
  it("an agent whose texts are not what they should be fails the cases about them, and no other", async () => {
    const about = ["come in order", "replays", "capabilities", "_meta"];
    const cases = casesOf("words").filter(({ name }) => about.some((words) => name.includes(words)));
    const results = await runCases({ client: sdk24Client, agent: sdk24Agent, arrows: 1, cases });
    expect(results.map(({ name, status }) => `${status}: ${name}`)).toEqual([
      "passed: initialize tells the version and the capabilities",
      "failed: a prompt is answered after its updates, which come in order",
      "failed: a load replays the session before it is answered",
      "passed: unknown members in _meta survive, both ways",
      "failed: 10,000 updates come in order, and before the answer",
    ]);
  });

  it("an agent that cannot be started fails every case", async () => {
    const agent = { ...sdk24Agent, command: ["/no/such/agent"] as const };
    const results = await runCases({ client: sdk24Client, agent });
    expect(results.length).toBeGreaterThan(20);
    expect(results.every(({ status }) => status === "failed")).toBe(true);
  });

  it("a client that ends without a word has failed, and its cases are skipped", async () => {
    const results = await runProgram(
      { name: "mute", scripts: ["words"], command: ["node", "-e", ""] },
      sdk24Agent,
    );
    expect(results.at(-1)).toMatchObject({ name: "mute runs to its end", status: "failed" });
    expect(results.slice(0, -1).every(({ status }) => status === "skipped")).toBe(true);
  });

  it("a client that says it passed and exits with 1 has failed", async () => {
    const line = JSON.stringify({ name: casesOf("words")[0]?.name, status: "passed", ms: 1 });
    const command = ["node", "-e", `console.log(${JSON.stringify(line)}); process.exitCode = 1`] as const;
    const results = await runProgram({ name: "liar", scripts: ["words"], command }, sdk24Agent);
    expect(results.at(-1)).toMatchObject({ name: "liar runs to its end", status: "failed" });
  });
});
