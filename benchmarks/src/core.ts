// Calls in process, over the memory transport.
import { connect, serve } from "@sluice/session";
import { memoryPair } from "@sluice/transport";
import { bareCall } from "./bare-call.ts";
import { median, runtime, shorter, type Row, type Section } from "./report.ts";

const TRIALS = 9;
const CALLS = 60_000;
const PARAMS = { a: 1, b: "x" };

type Call = (params: unknown) => Promise<unknown>;

export async function core(progress: (done: number) => void): Promise<Section> {
  const bare = bareCall();
  const json = await session("json");
  const frames = await session("frames");
  const times: { bare: number[]; json: number[]; frames: number[] } = { bare: [], json: [], frames: [] };
  for (const call of [bare, json, frames]) await serial(call);
  for (let trial = 0; trial < TRIALS; trial++) {
    times.bare.push(await serial(bare));
    times.json.push(await serial(json));
    times.frames.push(await serial(frames));
    progress((trial + 1) / TRIALS);
  }
  const limit = median(times.bare);
  const rows: Row[] = [
    shorter("call", "µs", median(times.json), limit),
    shorter("call-frames", "µs", median(times.frames), limit),
  ];
  return { section: "core", runtime: runtime(), rows };
}

async function session(encoding: "json" | "frames"): Promise<Call> {
  const [left, right] = memoryPair({ unit: "messages" });
  const [client] = await Promise.all([
    connect(left, { encodings: [encoding] }),
    serve(right, { handlers: { echo: (params: unknown) => params } }),
  ]);
  return (params) => client.call("echo", params);
}

/** µs a call, one at a time. */
async function serial(call: Call): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < CALLS; i++) await call(PARAMS);
  return ((performance.now() - start) * 1000) / CALLS;
}
