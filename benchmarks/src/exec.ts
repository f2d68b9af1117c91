// A body of 1 GiB through an executor, beside a `fetch` of the same server; and what a slow reader does to the server and
// to other requests.
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { rolldown } from "rolldown";
import { command } from "./command.ts";
import type { Bulk, Slow } from "./exec-client.ts";
import { faster, median, runtime, shorter, type Row, type Section } from "./report.ts";
import { startServer } from "./start-server.ts";

/** Odd, for a median. With three, that of the local fetch lay between 1,200 and 1,600 MB/s from run to run. */
const TRIALS = 5;
const OVER = ["stdio", "ws"] as const;
/** MiB */
const MEMORY = 150;

const path = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

/**
 * What users run is JavaScript, and often a bundle: with it the memory that Node takes to run TypeScript, half of all, and to
 * keep the comments of what is bundled, is not measured.
 */
async function built(folder: string, file: string, name: string): Promise<string> {
  const bundle = await rolldown({
    input: path(file),
    platform: "node",
    resolve: { conditionNames: [runtime(), "import"] },
    external: ["@lydell/node-pty"],
  });
  await bundle.write({
    dir: folder,
    format: "esm",
    minify: true,
    entryFileNames: `${name}.mjs`,
    chunkFileNames: `${name}-[hash].mjs`,
  });
  return join(folder, `${name}.mjs`);
}

export async function exec(progress: (done: number) => void): Promise<Section> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-bench-"));
  try {
    return await measured(folder, progress);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function measured(folder: string, progress: (done: number) => void): Promise<Section> {
  const client = await built(folder, "exec-client.ts", "client");
  const cli = await built(folder, "../../packages/exec/src/cli.ts", "sluice-exec");
  const origin = await startServer(path("origin-peer.ts"));
  const measure = async <T>(over: string, what: string): Promise<T> => {
    const [program = "", ...args] = command(client, over, what, origin.url, cli);
    const { stdout } = await promisify(execFile)(program, args);
    return JSON.parse(stdout) as T;
  };
  const relayed = async (over: "pipe" | "tcp"): Promise<number> => {
    const [program = "", ...args] = command(path("bare-relay.ts"), over, `${origin.url}/bytes?${2 ** 30}`);
    return Number((await promisify(execFile)(program, args)).stdout);
  };
  const steps = TRIALS * (1 + 2 * OVER.length);
  let done = 0;
  const step = async <T>(over: string, what: string): Promise<T> => {
    const result = await measure<T>(over, what);
    progress(++done / steps);
    return result;
  };
  const fetched: number[] = [];
  const runs = { stdio: runsOf(), ws: runsOf() };
  for (let trial = 0; trial < TRIALS; trial++) {
    fetched.push((await step<Bulk>("fetch", "bulk")).mbs);
    for (const over of OVER) {
      runs[over].bare.push(await relayed(over === "stdio" ? "pipe" : "tcp"));
      runs[over].bulk.push(await step<Bulk>(over, "bulk"));
      runs[over].slow.push(await step<Slow>(over, "slow"));
    }
  }
  origin.stop();
  return {
    section: "exec",
    runtime: runtime(),
    rows: OVER.flatMap((over) => rowsOf(over, runs[over], median(fetched))),
  };
}

interface Runs {
  readonly bulk: Bulk[];
  readonly slow: Slow[];
  /** MB/s of a relay without a protocol, over the same medium. */
  readonly bare: number[];
}

function runsOf(): Runs {
  return { bulk: [], slow: [], bare: [] };
}

function rowsOf(over: string, { bulk, slow, bare }: Runs, limit: number): Row[] {
  const most = (of: (one: Bulk) => number): number => Math.max(...bulk.map(of));
  return [
    faster(`${over} 1 GiB`, "MB/s", median(bulk.map(({ mbs }) => mbs)), limit),
    // The same, beside what any relay costs here: three processes, no protocol.
    faster(`${over} 1 GiB, bare`, "MB/s", median(bulk.map(({ mbs }) => mbs)), median(bare)),
    shorter(
      `${over} memory here`,
      "MiB",
      most(({ near }) => near),
      MEMORY,
    ),
    shorter(
      `${over} memory there`,
      "MiB",
      most(({ far }) => far),
      MEMORY,
    ),
    // What the server is ahead of a reader of 1 MiB/s, after the first second and 1,000 requests later.
    shorter(
      `${over} ahead`,
      "MiB",
      Math.max(...slow.map(({ ahead }) => ahead[1])),
      Math.max(...slow.map(({ ahead }) => ahead[0])),
    ),
    // 1,000 requests beside it, and with nothing beside them.
    shorter(
      `${over} beside p99`,
      "ms",
      median(slow.map(({ beside }) => beside)),
      median(slow.map(({ idle }) => idle)),
    ),
  ];
}
