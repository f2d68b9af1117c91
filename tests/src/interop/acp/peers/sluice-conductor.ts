// Our conductor, with the command line of the Rust crate's: `agent <proxy> … <agent>`, each a command as JSON.
import process from "node:process";
import { Conductor } from "@sluice/acp";
import { parent, spawn } from "@sluice/stdio";

const [kind, ...given] = process.argv.slice(2);
if (kind !== "agent" || given.length === 0) {
  console.error("usage: agent <proxy> … <agent>");
  process.exit(2);
}
const parts = given.map((text) => JSON.parse(text) as { command: string; args: string[] });
const chain = Conductor.agent(() => {
  const started = parts.map(({ command, args }) => spawn(command, args));
  return { proxies: started.slice(0, -1), agent: started.at(-1)! };
});
await chain.connectTo(parent());
