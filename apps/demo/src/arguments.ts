import process from "node:process";
import { parseArgs } from "node:util";
import { isTransport, TRANSPORTS, type TransportName } from "./transports.ts";
import { isRuntime, RUNTIMES, thisRuntime, type Runtime } from "./runtimes.ts";

export interface Arguments {
  /** A file or an http(s) URL to stream; undefined: the demo makes a file of its own. */
  readonly source: string | undefined;
  /** MiB of the file it makes. */
  readonly size: number;
  readonly json: boolean;
  readonly runtime: Runtime;
  readonly peerRuntime: Runtime;
  readonly transport: TransportName;
}

export const USAGE: string = `npm run demo -- [file or URL] [options]

  --runtime node|deno|bun       what both ends run on (default: what started this)
  --peer-runtime node|deno|bun  what the other end runs on, for a mixed pair
  --transport stdio|ws|http     what is between them (default stdio)
  --size MiB                    size of the file the demo makes (default 256)
  --json                        print one JSON object and nothing else
  --help                        this text`;

/** The command line. Ends the process with a sentence where it makes no sense. */
export function readArguments(): Arguments {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        runtime: { type: "string" },
        "peer-runtime": { type: "string" },
        transport: { type: "string", default: "stdio" },
        size: { type: "string", default: "256" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (values.help) {
      console.log(USAGE);
      process.exit(0);
    }
    if (positionals.length > 1) throw new Error("one file or URL at a time");
    const size = Number(values.size);
    if (!(size > 0)) throw new Error(`--size takes a number of MiB, not ${JSON.stringify(values.size)}`);
    const own = runtime("--runtime", values.runtime) ?? thisRuntime();
    const peerRuntime = runtime("--peer-runtime", values["peer-runtime"]) ?? own;
    const { transport } = values;
    if (!isTransport(transport))
      throw new Error(`--transport takes ${TRANSPORTS.join(", ")}, not ${JSON.stringify(transport)}`);
    return { source: positionals[0], size, json: values.json, runtime: own, peerRuntime, transport };
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    return process.exit(2);
  }
}

function runtime(option: string, name: string | undefined): Runtime | undefined {
  if (name === undefined || isRuntime(name)) return name;
  throw new Error(`${option} takes ${RUNTIMES.join(", ")}, not ${JSON.stringify(name)}`);
}
