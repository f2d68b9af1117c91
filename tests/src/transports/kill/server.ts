// A server of sessions with everything under way both ways. On its standard input it is told, in lines of JSON, that
// its next session is its last (`doom`), to say when it holds nothing any more (`settle`), and to close (`close`).
// --kind "ws sluice.v1"
import { serve } from "@sluice/session";
import type { Transport } from "@sluice/transport";
import process from "node:process";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { kinds, type KindName } from "../kinds.ts";
import { countDown, startClock, type Doom } from "./doom.ts";
import { LIMITS, neverOpened, Traffic, type Report } from "./traffic.ts";

/** A line it is told. */
export type Order = { readonly doom: Doom } | { readonly settle: true } | { readonly close: true };

/** A line it says: what it saw of the ends of all sessions since the last one. */
export interface Settled {
  readonly reports: readonly Report[];
}

/** A client that has vanished may come back for so long. Deno 2.9 keeps a process for a heartbeat after a loss. */
const PATIENCE = { idle: 2000, heartbeat: 4000 };

/** ms between two looks at whether the last session has gone. */
const LOOK = 2;

const { values } = parseArgs({ options: { kind: { type: "string" } } });
let doom: Doom | undefined;
let sessions = 0;
let reports: Report[] = [];

const quiet = { limits: LIMITS, onHandlerError: () => {} };

async function run(transport: Transport): Promise<Report> {
  const traffic = new Traffic();
  if (doom !== undefined) {
    startClock(doom);
    countDown(transport, doom);
  }
  try {
    const session = await serve(transport, { ...quiet, handlers: traffic.handlers });
    traffic.begin(session);
    return await traffic.judge(session);
  } catch (error) {
    return neverOpened(error);
  }
}

const server = await kinds[values.kind as KindName].serve((transport) => {
  sessions++;
  void run(transport).then((report) => {
    reports.push(report);
    sessions--;
  });
}, PATIENCE);

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function settle(): void {
  if (sessions > 0 || server.sessions > 0) return void setTimeout(settle, LOOK);
  say({ reports } satisfies Settled);
  reports = [];
}

createInterface({ input: process.stdin }).on("line", (line) => {
  const order = JSON.parse(line) as Order;
  if ("doom" in order) {
    doom = order.doom;
    say({ doomed: true });
  } else if ("settle" in order) settle();
  else void server.close().then(settle);
});
say({ url: server.url });
