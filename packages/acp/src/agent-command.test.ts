import { describe, expect, it } from "vitest";
import { agentCommandOf, readAgentCommand } from "./agent-command.ts";

describe("a line of words", () => {
  it.each([
    ["agent", { command: "agent", args: [], env: {} }],
    ["  agent   --flag\tvalue \n", { command: "agent", args: ["--flag", "value"], env: {} }],
    [
      `agent 'arg one' "arg two" arg\\ three ''`,
      { command: "agent", args: ["arg one", "arg two", "arg three", ""], env: {} },
    ],
    [
      `"/path with spaces/agent" --config='a b'`,
      { command: "/path with spaces/agent", args: ["--config=a b"], env: {} },
    ],
    ["NAME=value agent", { command: "agent", args: [], env: { NAME: "value" } }],
    [
      `A=1 _b2="two words" C= agent D=4`,
      { command: "agent", args: ["D=4"], env: { A: "1", _b2: "two words", C: "" } },
    ],
    ["URL=http://x/?a=b agent", { command: "agent", args: [], env: { URL: "http://x/?a=b" } }],
    ["2=x agent", { command: "2=x", args: ["agent"], env: {} }],
    ["agent $HOME | tee; ls *", { command: "agent", args: ["$HOME", "|", "tee;", "ls", "*"], env: {} }],
    [
      "npx -y @agentclientprotocol/claude-agent-acp@latest",
      { command: "npx", args: ["-y", "@agentclientprotocol/claude-agent-acp@latest"], env: {} },
    ],
  ])("%j is split as a shell does, and nothing is expanded", (text, command) => {
    expect(readAgentCommand(text)).toEqual(command);
  });

  it.each([
    ["", "there is no program"],
    ["  \n", "there is no program"],
    ["A=1 B=2", "there is no program"],
    ["''", "there is no program"],
    [`agent "open`, "a quote is not closed"],
    ["agent 'open", "a quote is not closed"],
    ["agent \\", "a quote is not closed, or the line ends in a backslash"],
  ])("%j is refused with what to do", (text, why) => {
    expect(() => readAgentCommand(text)).toThrow(TypeError);
    expect(() => readAgentCommand(text)).toThrow(why);
    expect(() => readAgentCommand(text)).toThrow("write it as for a shell");
  });
});

describe("JSON", () => {
  it.each([
    [{ command: "agent" }, { command: "agent", args: [], env: {} }],
    [
      { command: "a b", args: ["", "c d"], env: { A: "", "odd name": "x" } },
      { command: "a b", args: ["", "c d"], env: { A: "", "odd name": "x" } },
    ],
  ])("%j is taken as it is, and comes back", (json, command) => {
    expect(readAgentCommand(` ${JSON.stringify(json)}`)).toEqual(command);
    expect(readAgentCommand(JSON.stringify(readAgentCommand(JSON.stringify(json))))).toEqual(command);
  });

  it.each([
    ["{", "no JSON"],
    ["{}", "its command must be a string"],
    ['{"command":""}', "its command must be a string"],
    ['{"command":["a"]}', "its command must be a string"],
    ['{"command":"a","args":"b"}', "its args must be an array of strings"],
    ['{"command":"a","args":[1]}', "its args must be an array of strings"],
    ['{"command":"a","env":[]}', "its env must be an object of strings"],
    ['{"command":"a","env":null}', "its env must be an object of strings"],
    ['{"command":"a","env":{"A":1}}', "its env must be an object of strings"],
    // As MCP servers are written, by name or with an array of variables.
    ['{"name":"x","command":"a","args":[],"env":[]}', 'it has a member "name"'],
    ['{"type":"stdio","command":"a"}', 'it has a member "type"'],
    ['{"mcpServers":{"x":{"command":"a"}}}', 'it has a member "mcpServers"'],
  ])("%s is refused with what is wrong", (text, why) => {
    expect(() => readAgentCommand(text)).toThrow(TypeError);
    expect(() => readAgentCommand(text)).toThrow(why);
  });
});

it("words are taken as they are, but for the environment in front", () => {
  expect(agentCommandOf(["A=x y", "agent", "B=2", "'q'"])).toEqual({
    command: "agent",
    args: ["B=2", "'q'"],
    env: { A: "x y" },
  });
  expect(() => agentCommandOf(["A=1"])).toThrow("there is no program");
});
