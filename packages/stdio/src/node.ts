import type { Transport } from "@sluice/transport";
import { openStreams } from "./node-streams.ts";
import { Parent, type ParentOptions } from "./parent.ts";

export { ChildExitError } from "./child-exit-error.ts";
export type { ChildTransport, ExitStatus, SpawnOptions } from "./child.ts";
export type { ParentOptions } from "./parent.ts";
export { spawn } from "./spawn.ts";

/**
 * The transport of a process that was started by `spawn`, or by anything that speaks over its standard input and
 * output. Once in a process.
 *
 * `onEnd` comes when the parent has closed our input or is gone. `close` writes all that was accepted and ends our
 * output; the process stays alive until the parent has ended our input, too. A broken output closes it with code
 * `write`. `process.exit` loses what is not written: `close` and wait for `onClose`, or let the process end by itself.
 */
export function parent(options: ParentOptions = {}): Transport {
  return new Parent(openStreams, options);
}
