// A run of seeds, in this thread or in several.
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { sum } from "./figures.ts";
import { run, type Outcome } from "./run.ts";

export interface Batch {
  readonly seeds: number;
  readonly figures: Record<string, number>;
  readonly failures: Pick<Outcome, "seed" | "violation">[];
  /** Seeds that ran twice, and those whose two runs differed. */
  readonly replayed: number;
  readonly differing: number[];
}

function emptyBatch(): { -readonly [K in keyof Batch]: Batch[K] } {
  return { seeds: 0, figures: {}, failures: [], replayed: 0, differing: [] };
}

/** Runs seeds `from` to `from + seeds - 1`, every hundredth of them twice. */
export function runBatch(from: number, seeds: number): Batch {
  const batch = emptyBatch();
  for (let seed = from; seed < from + seeds; seed++) {
    const { hash, figures, violation } = run(seed);
    batch.seeds++;
    sum(batch.figures, figures);
    if (violation !== undefined) batch.failures.push({ seed, violation });
    if (seed % 100 !== 0) continue;
    batch.replayed++;
    if (run(seed).hash !== hash) batch.differing.push(seed);
  }
  return batch;
}

const SLICE = 200;

/** The same, on every core of the machine; `told` hears after each slice. */
export async function runBatches(from: number, seeds: number, told: (batch: Batch) => void): Promise<Batch> {
  const all = emptyBatch();
  let next = from;
  const take = (batch: Batch): void => {
    all.seeds += batch.seeds;
    all.replayed += batch.replayed;
    sum(all.figures, batch.figures);
    all.failures.push(...batch.failures);
    all.differing.push(...batch.differing);
    told(all);
  };
  const work = async (): Promise<void> => {
    const worker = new Worker(new URL(import.meta.url), { workerData: "simulation" });
    while (next < from + seeds) {
      const slice = { from: next, seeds: Math.min(SLICE, from + seeds - next) };
      next += slice.seeds;
      worker.postMessage(slice, []);
      const [batch] = (await once(worker, "message")) as [Batch];
      take(batch);
    }
    await worker.terminate();
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), Math.ceil(seeds / SLICE)) }, work));
  all.failures.sort((one, other) => one.seed - other.seed);
  return all;
}

if (!isMainThread && workerData === "simulation")
  parentPort!.on("message", (slice: { from: number; seeds: number }) =>
    parentPort!.postMessage(runBatch(slice.from, slice.seeds), []),
  );
