import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

export interface Arguments {
  /** The agent's. */
  readonly command: readonly string[];
  /** To ask one after the other; empty: what the user types. */
  readonly prompts: readonly string[];
  /** Whether permission is given without asking. */
  readonly allow: boolean;
}

const USAGE = `npm run acp -- [options] [agent's command]

Talks to an agent of the Agent Client Protocol; without a command to the example agent beside it.

  -p, --prompt TEXT   ask this and end; may be given more than once
  -y, --yes           allow what the agent asks for
  -h, --help          this text

An agent's own options follow "--": npm run acp -- -p hello -- my-agent --flag`;

/** The command line. Ends the process with a sentence where it makes no sense. */
export function readArguments(): Arguments {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        prompt: { type: "string", short: "p", multiple: true, default: [] },
        yes: { type: "boolean", short: "y", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (values.help) {
      console.log(USAGE);
      return process.exit(0);
    }
    const command = positionals.length > 0 ? positionals : example();
    return { command, prompts: values.prompt, allow: values.yes };
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    return process.exit(2);
  }
}

function example(): string[] {
  const runtime = "Deno" in globalThis ? ["run", "-A"] : [];
  return [process.execPath, ...runtime, fileURLToPath(new URL("agent.ts", import.meta.url))];
}
