// One measurement of an executor's HTTP, in a process of its own so that its memory is its own:
//   exec-client.ts fetch|stdio|ws bulk|slow <origin> <the executor's program>
// prints one JSON object.
import { readFileSync } from "node:fs";
import { connect, fetchClient, type ExecClient } from "@sluice/exec";
import { spawn } from "@sluice/stdio";
import { dial } from "@sluice/ws";
import { command } from "./command.ts";
import { percentile } from "./report.ts";
import { startServer, type StartedServer } from "./start-server.ts";

const MiB = 1024 * 1024;
const BULK = 1024 * MiB;
const CALLS = 1000;
/** Bytes a second of the slow reader. */
const SLOW = MiB;

export interface Bulk {
  readonly mbs: number;
  /** MiB at its highest, of this process and of the executor's. */
  readonly near: number;
  readonly far: number;
}
export interface Slow {
  /** p99 in ms of small requests with nothing beside them, and beside the body that is read slowly. */
  readonly idle: number;
  readonly beside: number;
  /** MiB the server had written and nobody read, after the first second and at the end. */
  readonly ahead: readonly [first: number, last: number];
}

const [over, what, origin = "", cli = ""] = process.argv.slice(2);
const executor = await start(over ?? "");
const http = executor?.client.http ?? fetchClient();
const result = what === "bulk" ? await bulk() : await slow();
console.log(JSON.stringify(result));
await executor?.client.close();
executor?.server?.stop();
process.exit(0);

interface Started {
  readonly client: ExecClient;
  readonly server?: StartedServer;
}

async function start(name: string): Promise<Started | undefined> {
  if (name === "stdio") {
    const [program = "", ...args] = command(cli, "--listen", "stdio", "--allow-private");
    return { client: await connect(spawn(program, args)) };
  }
  if (name !== "ws") return undefined;
  const server = await startServer(cli, "--listen", "ws://127.0.0.1:0", "--allow-private");
  return { client: await connect(() => dial(server.url)), server };
}

async function bulk(): Promise<Bulk> {
  const body = await open();
  const begun = performance.now();
  let got = 0;
  for await (const chunk of body) got += chunk.length;
  const mbs = got / 1000 / (performance.now() - begun);
  if (got !== BULK) throw new Error(`${got} bytes came of ${BULK}`);
  return { mbs, near: memoryIn(readFileSync("/proc/self/status", "utf8")), far: await farMemory() };
}

/** What the system says the executor has had at most: its child asks. */
async function farMemory(): Promise<number> {
  if (executor === undefined) return 0;
  const script = "grep VmHWM /proc/$PPID/status";
  const child = await executor.client.processes.start({
    argv: ["sh", "-c", script],
    cwd: "file:///",
    env: {},
  });
  const text = await new Response(child.stdout as BodyInit).text();
  return memoryIn(text);
}

/** MiB at its highest, as Linux tells it. `resourceUsage` begins with that of the process that started this one. */
function memoryIn(status: string): number {
  return Number(/VmHWM:\s*(\d+)/.exec(status)?.[1] ?? Number.NaN) / 1024;
}

async function slow(): Promise<Slow> {
  await latencies(CALLS / 2); // to warm up
  const idle = percentile(await latencies(CALLS), 99);
  const base = await sent();
  const reader = (await open()).getReader();
  const run = { got: 0, running: true };
  const reading = (async (): Promise<void> => {
    const begun = performance.now();
    while (run.running) {
      while (run.got < ((performance.now() - begun) / 1000) * SLOW)
        run.got += (await reader.read()).value?.length ?? 0;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  const ahead = async (): Promise<number> => ((await sent()) - base - run.got) / MiB;
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const first = await ahead();
  const beside = percentile(await latencies(CALLS), 99);
  const last = await ahead();
  run.running = false;
  await reading;
  await reader.cancel();
  return { idle, beside, ahead: [first, last] };
}

async function sent(): Promise<number> {
  return Number(new TextDecoder().decode((await http.request({ url: `${origin}/sent` })).body));
}

/** The body: of the runtime's own `fetch` as it is, with nothing of ours in between. */
async function open(): Promise<ReadableStream<Uint8Array>> {
  const url = `${origin}/bytes?${BULK}`;
  const { body } = executor === undefined ? await fetch(url) : await http.requestStream({ url });
  if (body === null) throw new Error("there is no body");
  return body;
}

/** How long `count` small requests take, a millisecond apart, in ms. */
async function latencies(count: number): Promise<number[]> {
  const times: number[] = [];
  while (times.length < count) {
    const begun = performance.now();
    await http.request({ url: `${origin}/small` });
    times.push(performance.now() - begun);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return times;
}
