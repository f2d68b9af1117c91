// Calls and a byte stream between two processes over a pipe.
import { fileURLToPath } from "node:url";
import { connect, type Session } from "@sluice/session";
import { spawn } from "@sluice/stdio";
import { bareBytes, bareCalls } from "./bare-stdio.ts";
import { command } from "./command.ts";
import { faster, median, percentile, runtime, type Row, type Section } from "./report.ts";

const TRIALS = 5;
const TRIAL_MS = 1000;
const BULK = 512 * 1024 * 1024;
const PARAMS = { a: 1, b: "x" };

type Call = (params: unknown) => Promise<unknown>;

export async function stdio(progress: (done: number) => void): Promise<Section> {
  const bare = bareCalls();
  const session = await start();
  const ours: Call = (params) => session.call("echo", params);
  const rates = { serial: pair(), pipelined: pair(), bytes: pair() };
  const beside: number[] = [];
  for (const call of [bare.call, ours]) await pipelined(call, TRIAL_MS / 2); // to warm up
  for (let trial = 0; trial < TRIALS; trial++) {
    rates.serial.bare.push(await serial(bare.call, TRIAL_MS));
    rates.serial.ours.push(await serial(ours, TRIAL_MS));
    rates.pipelined.bare.push(await pipelined(bare.call, TRIAL_MS));
    rates.pipelined.ours.push(await pipelined(ours, TRIAL_MS));
    rates.bytes.bare.push(await bareBytes(BULK));
    rates.bytes.ours.push(await bytes(session));
    beside.push(...(await latencies(session)));
    progress((trial + 1) / TRIALS);
  }
  bare.close();
  await session.close();
  const row = (id: string, unit: string, { ours: o, bare: b }: Pair): Row =>
    faster(id, unit, median(o), median(b));
  // Beside a stream the limit is the bare loop with nothing beside it.
  const idle = 1000 / median(rates.serial.bare);
  const p50 = percentile(beside, 50);
  const rows: Row[] = [
    row("serial", "calls/s", rates.serial),
    row("pipelined", "calls/s", rates.pipelined),
    row("bytes", "MB/s", rates.bytes),
    {
      id: "beside",
      unit: "ms",
      value: p50,
      limit: idle,
      ratio: idle / p50,
      p50,
      p99: percentile(beside, 99),
    },
  ];
  return { section: "stdio", runtime: runtime(), rows };
}

interface Pair {
  readonly ours: number[];
  readonly bare: number[];
}

function pair(): Pair {
  return { ours: [], bare: [] };
}

async function start(): Promise<Session> {
  const [file, ...args] = command(fileURLToPath(new URL("peer.ts", import.meta.url)));
  return connect(spawn(file!, args));
}

/** Calls a second, one at a time. */
async function serial(call: Call, ms: number): Promise<number> {
  const start = performance.now();
  let calls = 0;
  while (performance.now() - start < ms) {
    for (let i = 0; i < 50; i++) await call(PARAMS);
    calls += 50;
  }
  return (calls * 1000) / (performance.now() - start);
}

/** Calls a second, 64 in flight. */
async function pipelined(call: Call, ms: number): Promise<number> {
  const start = performance.now();
  let calls = 0;
  const lane = async (): Promise<void> => {
    while (performance.now() - start < ms) {
      for (let i = 0; i < 20; i++) await call(PARAMS);
      calls += 20;
    }
  };
  await Promise.all(Array.from({ length: 64 }, lane));
  return (calls * 1000) / (performance.now() - start);
}

/** MB/s of one byte stream from the child. */
async function bytes(session: Session): Promise<number> {
  const stream = await session.call<ReadableStream<Uint8Array>>("flood", { bytes: BULK });
  const begun = performance.now();
  let got = 0;
  for await (const chunk of stream) got += chunk.length;
  return got / 1000 / (performance.now() - begun);
}

/** How long calls take while a byte stream runs at full speed, in ms. */
async function latencies(session: Session): Promise<number[]> {
  const stream = await session.call<ReadableStream<Uint8Array>>("flood", { bytes: BULK });
  const run = { running: true };
  const reading = (async (): Promise<void> => {
    for await (const _ of stream);
    run.running = false;
  })();
  const times: number[] = [];
  while (run.running) {
    const begun = performance.now();
    await session.call("echo", PARAMS);
    times.push(performance.now() - begun);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await reading;
  return times.slice(0, -1);
}
