// rapace's frames beside our own: calls with typed params and tunnels, in process and between two processes over a pipe.
import { fileURLToPath } from "node:url";
import { RpcSession } from "@sluice/rapace";
import { connect } from "@sluice/session";
import { spawn } from "@sluice/stdio";
import { memoryPair, type Transport } from "@sluice/transport";
import { command } from "./command.ts";
import { nativeServer, rapaceClient, rapaceServer } from "./rapace-peer.ts";
import { faster, median, runtime, type Row, type Section } from "./report.ts";

const TRIALS = 5;
const TRIAL_MS = 500;
const MIB = 256;
const PARAMS = { a: 1, b: "x" };

interface End {
  call(): Promise<unknown>;
  /** A run of so many bytes from the peer; resolves to how many came. */
  bytes(): Promise<number>;
  close(): Promise<void>;
}

export async function rapace(progress: (done: number) => void): Promise<Section> {
  const rows: Row[] = [];
  const links = [inProcess, overStdio];
  for (const [i, link] of links.entries()) {
    const { name, ours, native } = await link();
    rows.push(...(await compare(name, ours, native, (done) => progress((i + done) / links.length))));
    await ours.close();
    await native.close();
  }
  return { section: "rapace", runtime: runtime(), rows };
}

interface Link {
  readonly name: string;
  readonly ours: End;
  readonly native: End;
}

async function inProcess(): Promise<Link> {
  const [left, right] = memoryPair();
  rapaceServer(right);
  const [near, far] = memoryPair();
  const native = nativeEnd(near);
  void nativeServer(far);
  return { name: "memory", ours: rapaceEnd(left), native: await native };
}

async function overStdio(): Promise<Link> {
  const path = fileURLToPath(new URL("rapace-peer.ts", import.meta.url));
  const started = (what: string): Transport => {
    const [file, ...args] = command(path, what);
    return spawn(file!, args);
  };
  return { name: "stdio", ours: rapaceEnd(started("rapace")), native: await nativeEnd(started("native")) };
}

function rapaceEnd(transport: Transport): End {
  const session = new RpcSession(transport);
  const client = rapaceClient(session);
  return {
    call: () => client.echo(PARAMS),
    bytes: async () => {
      const tunnel = session.registerTunnel(await client.flood(MIB), { policy: "pause" });
      const got = await count(tunnel.readable);
      await tunnel.writable.close();
      return got;
    },
    close: () => session.close(),
  };
}

async function nativeEnd(transport: Transport): Promise<End> {
  const session = await connect(transport);
  return {
    call: () => session.call("echo", PARAMS),
    bytes: async () => count(await session.call<ReadableStream<Uint8Array>>("flood", { mib: MIB })),
    close: () => session.close(),
  };
}

// Through a reader at both, for the iterator of a session's stream goes past the web stream.
async function count(stream: ReadableStream<Uint8Array>): Promise<number> {
  const reader = stream.getReader();
  let got = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) got += next.value.length;
  return got;
}

async function compare(
  name: string,
  ours: End,
  native: End,
  progress: (done: number) => void,
): Promise<Row[]> {
  const measures: [string, string, (end: End) => Promise<number>][] = [
    ["serial", "calls/s", (end) => calls(end, 1)],
    ["pipelined", "calls/s", (end) => calls(end, 64)],
    ["tunnel", "MB/s", tunnel],
  ];
  const figures = measures.map(() => ({ ours: [] as number[], native: [] as number[] }));
  for (const end of [ours, native]) await calls(end, 64); // to warm up
  for (let trial = 0; trial < TRIALS; trial++) {
    for (const [i, [, , measure]] of measures.entries()) {
      figures[i]!.native.push(await measure(native));
      figures[i]!.ours.push(await measure(ours));
    }
    progress((trial + 1) / TRIALS);
  }
  return measures.map(([id, unit], i) =>
    faster(`${name} ${id}`, unit, median(figures[i]!.ours), median(figures[i]!.native)),
  );
}

/** Calls a second, so many in flight. */
async function calls(end: End, lanes: number): Promise<number> {
  const start = performance.now();
  let done = 0;
  const lane = async (): Promise<void> => {
    while (performance.now() - start < TRIAL_MS) {
      for (let i = 0; i < 20; i++) await end.call();
      done += 20;
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return (done * 1000) / (performance.now() - start);
}

/** MB/s. */
async function tunnel(end: End): Promise<number> {
  const begun = performance.now();
  const got = await end.bytes();
  if (got !== MIB * 2 ** 20) throw new Error(`${got} bytes came of ${MIB} MiB`);
  return got / 1000 / (performance.now() - begun);
}
