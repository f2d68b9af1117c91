// Pipes are opened as sockets, which is what `process.stdin` and `process.stdout` are on Node anyway, to have an output
// of 256 KiB: several times what a pipe holds, so that bulk data does not wait for us, and little enough that a small
// message behind it waits a fraction of a millisecond.
import { Socket } from "node:net";
import process from "node:process";
import type { Transport } from "@sluice/transport";
import { closeOutput, isPipe } from "./descriptor.ts";
import { Parent, type OwnStreams, type ParentOptions } from "./parent.ts";

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

// The types do not know that a socket takes a stream's options, too.
const room: object = { highWaterMark: 256 * 1024 };

export function openStreams(): OwnStreams {
  const input = isPipe(0) ? new Socket({ fd: 0, readable: true, writable: false }) : process.stdin;
  const output = isPipe(1)
    ? new Socket({ fd: 1, readable: false, writable: true, ...room })
    : process.stdout;
  return { input, output, closeOutput: isPipe(1) ? closeOutput : () => {} };
}
