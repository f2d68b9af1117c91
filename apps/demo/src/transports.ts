// The other end, over each transport: a child that is spoken to through its pipes, or one that serves on a free port
// of this machine and prints where.
import { spawn as run, type ChildProcess } from "node:child_process";
import process from "node:process";
import { createInterface } from "node:readline";
import { dial as dialHttp } from "@sluice/http";
import { spawn } from "@sluice/stdio";
import type { Transport } from "@sluice/transport";
import { dial as dialWs } from "@sluice/ws";

export const TRANSPORTS = ["stdio", "ws", "http"] as const;
export type TransportName = (typeof TRANSPORTS)[number];

export function isTransport(name: string): name is TransportName {
  return (TRANSPORTS as readonly string[]).includes(name);
}

/** What is between the two ends, as a title says it. */
export const BETWEEN: Readonly<Record<TransportName, string>> = {
  stdio: "stdin and stdout between them",
  ws: "a WebSocket between them",
  http: "HTTP between them, in frames",
};

/** The process of the other end, and the way to it. */
export interface Peer {
  readonly transport: Transport;
  /** SIGKILL, without a word. */
  kill(): void;
}

/** Starts the other end with the transport's name as its argument, and connects to it. */
export async function startPeer(
  name: TransportName,
  [command, ...args]: [string, ...string[]],
): Promise<Peer> {
  if (name === "stdio") {
    const transport = spawn(command, [...args, name], { onStderrLine: (line) => console.error(line) });
    return { transport, kill: () => killed(transport.pid) };
  }
  // A group of its own: what is started may be a script around the runtime.
  const group = process.platform !== "win32";
  const child = run(command, [...args, name], { stdio: ["ignore", "pipe", "inherit"], detached: group });
  const kill = (): void => killed(child.pid === undefined || !group ? child.pid : -child.pid);
  // A server does not end with us by itself.
  process.once("exit", kill);
  const url = await firstLine(child);
  const transport = name === "ws" ? await dialWs(url) : dialHttp(url, { wire: "frames" });
  return { transport, kill };
}

function killed(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(pid, "SIGKILL");
  } catch {
    // It has ended before.
  }
}

async function firstLine(child: ChildProcess): Promise<string> {
  const failed = new Promise<never>((_, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the other end ended with ${code} before it served`)));
  });
  failed.catch(() => {}); // it may still end later
  const line = (async () => {
    for await (const first of createInterface({ input: child.stdout! })) return first;
    return failed;
  })();
  return Promise.race([line, failed]);
}
