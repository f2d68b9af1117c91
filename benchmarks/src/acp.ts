// The Agent Client Protocol over stdio, client and agent of ours beside client and agent of its own SDK: a call with typed
// params and result, and a turn of many updates, each seen by a handler.
import { spawn as spawnChild } from "node:child_process";
import { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { client, methods, ndJsonStream } from "@agentclientprotocol/sdk";
import { Client, PromptRequest, SessionNotification, SetSessionModeRequest } from "@sluice/acp";
import { spawn } from "@sluice/stdio";
import { command } from "./command.ts";
import { pipelined, serial } from "./measure.ts";
import { faster, median, runtime, type Section } from "./report.ts";

const TRIALS = 5;
const TRIAL_MS = 1000;
const UPDATES = 10_000;
const SESSION = "s";

/** An agent, as a client that has been connected to it uses it. */
interface Driven {
  call(): Promise<unknown>;
  /** A turn; resolves to how many updates were seen by its end. */
  turn(updates: number): Promise<number>;
}

const peer = (file: string): [string, ...string[]] =>
  command(fileURLToPath(new URL(file, import.meta.url))) as [string, ...string[]];

export async function acp(progress: (done: number) => void): Promise<Section> {
  return withOurs((ours) => withSdk((sdk) => compared(ours, sdk, progress)));
}

async function compared(ours: Driven, sdk: Driven, progress: (done: number) => void): Promise<Section> {
  const rates = { serial: pair(), pipelined: pair(), turn: pair() };
  // To warm up.
  for (const driven of [sdk, ours]) {
    await pipelined(driven.call, TRIAL_MS / 2);
    await turns(driven, TRIAL_MS / 2);
  }
  for (let trial = 0; trial < TRIALS; trial++) {
    for (const [name, driven] of [
      ["sdk", sdk],
      ["ours", ours],
    ] as const) {
      rates.serial[name].push(await serial(driven.call, TRIAL_MS));
      rates.pipelined[name].push(await pipelined(driven.call, TRIAL_MS));
      rates.turn[name].push(await turns(driven, TRIAL_MS));
    }
    progress((trial + 1) / TRIALS);
  }
  const row = (id: string, unit: string, { ours: o, sdk: s }: Pair) => faster(id, unit, median(o), median(s));
  return {
    section: "acp",
    runtime: runtime(),
    rows: [
      row("serial", "calls/s", rates.serial),
      row("pipelined", "calls/s", rates.pipelined),
      row("turn", "updates/s", rates.turn),
    ],
  };
}

/** Updates a second, turn after turn. */
async function turns(driven: Driven, ms: number): Promise<number> {
  const begun = performance.now();
  let updates = 0;
  while (performance.now() - begun < ms) {
    const seen = await driven.turn(UPDATES);
    if (seen !== UPDATES) throw new Error(`${seen} updates of ${UPDATES} were seen`);
    updates += seen;
  }
  return (updates * 1000) / (performance.now() - begun);
}

async function withOurs<T>(use: (driven: Driven) => Promise<T>): Promise<T> {
  const [file, ...args] = peer("acp-peer.ts");
  let seen = 0;
  const builder = Client.builder().onReceiveNotification(SessionNotification, () => void seen++);
  return builder.connectWith(spawn(file, args), (cx) =>
    use({
      call: () => cx.sendRequest(SetSessionModeRequest, { sessionId: SESSION, modeId: "code" }).result(),
      turn: async (updates) => {
        seen = 0;
        await cx.sendRequest(PromptRequest, promptOf(updates)).result();
        return seen;
      },
    }),
  );
}

async function withSdk<T>(use: (driven: Driven) => Promise<T>): Promise<T> {
  const [file, ...args] = peer("acp-sdk-peer.ts");
  const child = spawnChild(file, args, { stdio: ["pipe", "pipe", "inherit"] });
  const output = Readable.toWeb(child.stdout) as ReadableStream<Uint8Array>;
  let seen = 0;
  const app = client({ name: "bench" }).onNotification(methods.client.session.update, () => void seen++);
  const connection = app.connect(ndJsonStream(Writable.toWeb(child.stdin), output));
  const { agent } = connection;
  try {
    return await use({
      call: () => agent.request(methods.agent.session.setMode, { sessionId: SESSION, modeId: "code" }),
      turn: async (updates) => {
        seen = 0;
        await agent.request(methods.agent.session.prompt, promptOf(updates));
        return seen;
      },
    });
  } finally {
    connection.close();
    child.stdin.end();
  }
}

function promptOf(updates: number): PromptRequest {
  return { sessionId: SESSION, prompt: [{ type: "text", text: String(updates) }] };
}

interface Pair {
  readonly ours: number[];
  readonly sdk: number[];
}

function pair(): Pair {
  return { ours: [], sdk: [] };
}
