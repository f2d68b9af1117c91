import { parseArgs } from "node:util";
import { localClient, type HttpPolicy } from "./local.ts";

export type Listen =
  | { readonly on: "stdio" }
  | { readonly on: "ws"; readonly hostname: string; readonly port: number; readonly path: string };

export interface Arguments {
  readonly listen: Listen;
  /** Where requests may go. */
  readonly policy: HttpPolicy;
  readonly json: boolean;
  readonly exitOnStdinClose: boolean;
}

const USAGE: string = `sluice-exec --listen stdio | ws://127.0.0.1:0 [options]

Runs processes, reads and writes files and makes HTTP requests for whoever connects.

  --listen stdio        one connection, over standard input and output
  --listen ws://…       WebSockets at this address; port 0 is any free one. The URL is printed on standard output
  --allow-private       requests may go to loopback, private and link-local addresses, too
  --allow-host HOST     requests may go to this host (with or without a port) or range such as 10.1.0.0/16; repeatable
  --exit-on-stdin-close end when standard input does (always so with stdio)
  --json                print {"url": …} instead of the bare URL
  --help                this text

Requests go through the proxies that http_proxy, https_proxy and all_proxy name, but to what no_proxy names, in lower or
upper case.

Whoever can connect can do all that you can: listen on loopback alone, or behind something that asks who is there.`;

/** The command line. Ends the process with a sentence where it makes no sense. */
export function readArguments(): Arguments {
  try {
    const { values } = parseArgs({
      options: {
        listen: { type: "string" },
        "allow-private": { type: "boolean", default: false },
        "allow-host": { type: "string", multiple: true, default: [] },
        "exit-on-stdin-close": { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (values.help) {
      process.stdout.write(`${USAGE}\n`);
      process.exit(0);
    }
    const kinds = values["allow-private"] ? ["loopback", "private", "link-local"] : [];
    const policy = { allow: [...kinds, ...values["allow-host"]] };
    localClient({ policy })[Symbol.dispose](); // says which entry makes no sense
    return {
      listen: listenOf(values.listen),
      policy,
      json: values.json,
      exitOnStdinClose: values["exit-on-stdin-close"],
    };
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}\n`);
    return process.exit(2);
  }
}

function listenOf(text: string | undefined): Listen {
  if (text === "stdio") return { on: "stdio" };
  const url = text === undefined ? null : URL.parse(text);
  if (url?.protocol !== "ws:" || url.search !== "" || url.username !== "")
    throw new Error(
      `--listen takes stdio or an address such as ws://127.0.0.1:0, not ${JSON.stringify(text)}`,
    );
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  return { on: "ws", hostname, port: url.port === "" ? 80 : Number(url.port), path: url.pathname };
}
