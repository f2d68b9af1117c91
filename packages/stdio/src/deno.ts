// Deno runs what Node runs. Its `process.stdout` blocks the whole program while a pipe is full; as sockets the pipes
// do not, and small echoes are three times faster (25k to 77k a second).
import { fstatSync, readdirSync, readlinkSync } from "node:fs";
import { Socket } from "node:net";
import type { Transport } from "@sluice/transport";
import { leadNowhere } from "./descriptor.ts";
import { openStreams } from "./node-streams.ts";
import { Parent, type OwnStreams, type ParentOptions } from "./parent.ts";

export { ChildExitError } from "./child-exit-error.ts";
export type { ChildTransport, ExitStatus, SpawnOptions } from "./child.ts";
export type { ParentOptions } from "./parent.ts";
export { spawn } from "./spawn.ts";

/** As in `node.ts`. */
export function parent(options: ParentOptions = {}): Transport {
  return new Parent(openOwnStreams, options);
}

function openOwnStreams(): OwnStreams {
  const streams = openStreams();
  const output = fstatSync(1);
  // A socket is shut down whoever else holds it, a file has no end to tell.
  if (!output.isFIFO()) return { ...streams, closeOutput: () => {} };
  const pipe = `pipe:[${output.ino}]`;
  return { ...streams, closeOutput: () => closeTwins(pipe) };
}

/**
 * Deno has closed descriptor 1 with its socket, but keeps a second one of standard output for itself, and while that is
 * open the reader sees no end. Only a socket can close it. Where there is no /proc the reader sees the end when the
 * process ends.
 */
function closeTwins(pipe: string): void {
  const twins = descriptors().filter((fd) => fd > 2 && target(fd) === pipe);
  let open = twins.length;
  if (open === 0) leadNowhere([1]);
  for (const fd of twins) {
    const socket = new Socket({ fd, readable: false, writable: true });
    socket.on("close", () => --open === 0 && leadNowhere([1, ...twins]));
    socket.destroy();
  }
}

function descriptors(): number[] {
  try {
    return readdirSync("/proc/self/fd").map(Number);
  } catch {
    return [];
  }
}

function target(fd: number): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return undefined; // The descriptor of the listing itself.
  }
}
