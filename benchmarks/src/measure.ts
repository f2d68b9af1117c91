// What is measured, the same for every transport.
import type { Session } from "@sluice/session";
import { faster, median, percentile, type Row } from "./report.ts";

const TRIALS = 5;
const TRIAL_MS = 1000;
const BULK = 512 * 1024 * 1024;
const CALLS = 1000;
const PARAMS = { a: 1, b: "x" };

type Call = (params: unknown) => Promise<unknown>;

/** The limit: the bare loop over the same medium. */
export interface Bare {
  call(params: unknown): Promise<unknown>;
  /** MB/s of so many bytes from the peer, in writes of 64 KiB. */
  bytes(bytes: number): Promise<number>;
}

/** A session and the bare loop by turns. The session's peer has methods `echo` and `flood`. */
export async function compare(
  bare: Bare,
  session: Session,
  progress: (done: number) => void,
): Promise<Row[]> {
  const ours: Call = (params) => session.call("echo", params);
  const rates = { serial: pair(), pipelined: pair(), bytes: pair() };
  const times = { beside: [] as number[], idle: [] as number[], stalled: [] as number[] };
  for (const call of [bare.call, ours]) await pipelined(call, TRIAL_MS / 2); // to warm up
  for (let trial = 0; trial < TRIALS; trial++) {
    rates.serial.bare.push(await serial(bare.call, TRIAL_MS));
    rates.serial.ours.push(await serial(ours, TRIAL_MS));
    rates.pipelined.bare.push(await pipelined(bare.call, TRIAL_MS));
    rates.pipelined.ours.push(await pipelined(ours, TRIAL_MS));
    rates.bytes.bare.push(await bare.bytes(BULK));
    rates.bytes.ours.push(await bytes(session, BULK));
    times.beside.push(...(await besideFullSpeed(session)));
    times.idle.push(...(await latencies(session, CALLS)));
    times.stalled.push(...(await besideStalled(session)));
    progress((trial + 1) / TRIALS);
  }
  const row = (id: string, unit: string, { ours: o, bare: b }: Pair): Row =>
    faster(id, unit, median(o), median(b));
  const idle = percentile(times.idle, 99);
  return [
    row("serial", "calls/s", rates.serial),
    row("pipelined", "calls/s", rates.pipelined),
    row("bytes", "MB/s", rates.bytes),
    // Beside a stream the limit is the bare loop with nothing beside it.
    latency("beside", times.beside, 50, 1000 / median(rates.serial.bare)),
    // Beside a stream that stands still, the same calls with nothing beside them.
    latency("stalled", times.stalled, 99, idle),
  ];
}

function latency(id: string, times: readonly number[], p: number, limit: number): Row {
  const value = percentile(times, p);
  const [p50, p99] = [percentile(times, 50), percentile(times, 99)];
  return { id, unit: "ms", value, limit, ratio: limit / value, p50, p99 };
}

interface Pair {
  readonly ours: number[];
  readonly bare: number[];
}

function pair(): Pair {
  return { ours: [], bare: [] };
}

/** Calls a second, one at a time. */
export async function serial(call: Call, ms: number): Promise<number> {
  const start = performance.now();
  let calls = 0;
  while (performance.now() - start < ms) {
    for (let i = 0; i < 50; i++) await call(PARAMS);
    calls += 50;
  }
  return (calls * 1000) / (performance.now() - start);
}

/** Calls a second, 64 in flight. */
export async function pipelined(call: Call, ms: number): Promise<number> {
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

/** MB/s of one byte stream from the peer. */
async function bytes(session: Session, bulk: number): Promise<number> {
  const stream = await session.call<ReadableStream<Uint8Array>>("flood", { bytes: bulk });
  const begun = performance.now();
  let got = 0;
  for await (const chunk of stream) got += chunk.length;
  return got / 1000 / (performance.now() - begun);
}

/** How long calls take while a byte stream runs at full speed, in ms. */
async function besideFullSpeed(session: Session): Promise<number[]> {
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

/** How long `count` calls take, a millisecond apart, in ms. */
async function latencies(session: Session, count: number): Promise<number[]> {
  const times: number[] = [];
  while (times.length < count) {
    const begun = performance.now();
    await session.call("echo", PARAMS);
    times.push(performance.now() - begun);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return times;
}

/** The same while a byte stream stands still, of which one chunk was read. */
async function besideStalled(session: Session): Promise<number[]> {
  const stream = await session.call<ReadableStream<Uint8Array>>("flood", { bytes: BULK });
  const reader = stream.getReader();
  await reader.read();
  const times = await latencies(session, CALLS);
  await reader.cancel();
  return times;
}
