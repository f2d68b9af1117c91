// The limit over a pipe, the parent's side, as one would write it by hand: NDJSON, a line a write, and raw bytes.
import { spawn, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { command } from "./command.ts";

const PEER = fileURLToPath(new URL("bare-peer.ts", import.meta.url));

function start(mode: string): ChildProcess {
  const [file, ...args] = command(PEER, mode);
  return spawn(file!, args, { stdio: ["pipe", "pipe", "inherit"] });
}

export interface BareCalls {
  call(params: unknown): Promise<unknown>;
  close(): void;
}

export function bareCalls(): BareCalls {
  const child = start("calls");
  const pending = new Map<number, (result: unknown) => void>();
  let ids = 0;
  let rest = "";
  child.stdout!.setEncoding("utf8");
  child.stdout!.on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      const { id, result } = JSON.parse(line) as { id: number; result: unknown };
      const resolve = pending.get(id)!;
      pending.delete(id);
      resolve(result);
    }
  });
  return {
    call: (params) =>
      new Promise((resolve) => {
        const id = ++ids;
        pending.set(id, resolve);
        child.stdin!.write(`${JSON.stringify({ jsonrpc: "2.0", id, method: "echo", params })}\n`);
      }),
    close: () => child.stdin!.end(),
  };
}

/** MB/s of `bytes` bytes from the child, in 64 KiB writes. */
export async function bareBytes(bytes: number): Promise<number> {
  const child = start(String(bytes));
  let got = 0;
  let first = 0;
  child.stdout!.on("data", (chunk: Uint8Array) => {
    if (got === 0) first = performance.now();
    got += chunk.length;
  });
  await new Promise((resolve) => child.stdout!.on("end", resolve));
  return got / 1000 / (performance.now() - first);
}
