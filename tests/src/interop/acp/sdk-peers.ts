// The peers on the Agent Client Protocol's own SDK: programs, run by Node.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { AcpAgentUnderTest } from "./case.ts";
import type { AcpClientProgram } from "./program.ts";

function path(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}

export const sdk24Agent: AcpAgentUnderTest = {
  name: "SDK 2.4",
  script: "words",
  command: ["node", path("./peers/sdk-agent.ts")],
};

/** The example that SDK 1.9 ships, as it is. */
export const sdk19Agent: AcpAgentUnderTest = {
  name: "SDK 1.9 example",
  script: "example",
  command: [
    "node",
    join(dirname(createRequire(import.meta.url).resolve("acp-sdk-1")), "examples", "agent.js"),
  ],
};

export const sdk24Program: AcpClientProgram = {
  name: "SDK 2.4 program",
  scripts: ["words", "example"],
  command: ["node", path("./peers/sdk-client.ts")],
};

export const sdk19Program: AcpClientProgram = {
  name: "SDK 1.9 program",
  scripts: ["words", "example"],
  command: ["node", path("./peers/sdk1-client.ts")],
};
