import { parseArgs } from "node:util";
import { readAgentCommand, type AgentCommand } from "./agent-command.ts";
import type { Spelling } from "./successor.ts";

export interface Arguments {
  readonly proxies: readonly AgentCommand[];
  /** Undefined for a conductor that is a proxy. */
  readonly agent: AgentCommand | undefined;
  readonly name: string;
  readonly spelling: Spelling;
  /** Path of the file. */
  readonly trace: string | undefined;
}

const USAGE: string = `sluice-acp conductor [options] -- "proxy command" … "agent command"
sluice-acp proxy [options] -- "proxy command" …

Runs a chain of ACP proxies with an agent at its end, as one agent on standard input and output; or a chain of proxies, as one proxy.

Each command is one argument, written as for a shell ("NAME=value program 'an argument'") or as JSON
('{"command": "program", "args": [], "env": {}}'). The programs are started when the client initializes, and end with it.

  --name NAME           what the trace calls this conductor (default: conductor)
  --trace FILE          write every message that crosses the conductor to this file, a line of JSON each
  --spelling SPELLING   how proxies are spoken to first: proxy (default) or _proxy; those that know the other alone are
                        spoken to in that
  --help                this text

What the programs print to standard error is printed there. Exits with 0 when the client leaves, 1 when a program fails, 2 where
the command line makes no sense.`;

/** The command line. Ends the process with a sentence where it makes no sense. */
export function readArguments(): Arguments {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        name: { type: "string", default: "conductor" },
        trace: { type: "string" },
        spelling: { type: "string", default: "proxy" },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (values.help) {
      process.stdout.write(`${USAGE}\n`);
      process.exit(0);
    }
    const [kind, ...lines] = positionals;
    const { name, trace } = values;
    return { ...partsOf(kind, lines), name, trace, spelling: spellingOf(values.spelling) };
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}\n`);
    return process.exit(2);
  }
}

function partsOf(kind: string | undefined, lines: readonly string[]): Pick<Arguments, "proxies" | "agent"> {
  if (kind !== "conductor" && kind !== "proxy")
    throw new Error(`the first word is conductor or proxy, not ${JSON.stringify(kind ?? "")}`);
  const [first, ...rest] = lines.map((line, i) => {
    try {
      return readAgentCommand(line);
    } catch (error) {
      throw new Error(`command ${i + 1}: ${(error as Error).message}`, { cause: error });
    }
  });
  if (first === undefined)
    throw new Error(
      `${kind} takes ${kind === "proxy" ? "the commands of proxies" : "the command of an agent"} after --`,
    );
  const all = [first, ...rest];
  return kind === "proxy"
    ? { proxies: all, agent: undefined }
    : { proxies: all.slice(0, -1), agent: all.at(-1) };
}

function spellingOf(text: string): Spelling {
  if (text === "_proxy" || text === "proxy") return text;
  throw new Error(`--spelling takes _proxy or proxy, not ${JSON.stringify(text)}`);
}
