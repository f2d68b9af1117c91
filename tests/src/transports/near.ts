// The near end of one cell: runs every remote case of the compliance kit on this runtime, with far ends on another, and
// says how each went in a line of JSON.
// --kind "ws sluice.v1" --near client|server --far node|deno|bun
import { remoteCases, type RemoteCase, type RemotePair } from "@sluice/transport/compliance";
import type { Transport } from "@sluice/transport";
import process from "node:process";
import { parseArgs } from "node:util";
import { FarServer, LEAVING } from "./far-server.ts";
import { kinds, type KindName, type Listening } from "./kinds.ts";
import { Program } from "./program.ts";
import { own, type Runtime } from "./runtimes.ts";

/** A line. */
export interface CaseResult {
  readonly name: string;
  readonly status: "passed" | "failed" | "skipped";
  /** undefined where it passed. */
  readonly reason?: string;
}

/** ms in which a case has to be over; it tells a hang from a busy machine. */
const BOUND = 60_000;

/** Cases in which a client vanishes. A server waits for it only for so many ms; else for as long as it does by default. */
const VANISHES = /aborts|throws|leaves/;
const IDLE = 1000;
const IDLE_DEFAULT = 300_000;

const { values } = parseArgs({
  options: { kind: { type: "string" }, near: { type: "string" }, far: { type: "string" } },
});
const kind = kinds[values.kind as KindName];
const nearEnd = values.near as "client" | "server";
const farEnd = nearEnd === "client" ? "server" : "client";
const farRuntime = values.far as Runtime;
const traits = {
  halfCloses: kind.halfCloses,
  holdsBack: kind.holdsBack(nearEnd, own) && kind.holdsBack(farEnd, farRuntime),
};

/** Servers here, and a client in another process for each case. */
class FarClients {
  readonly #servers = new Map<number, Promise<Listening>>();
  #accept: (transport: Transport) => void = (transport) => transport.abort();

  async pair(name: string): Promise<RemotePair> {
    const accepted = new Promise<Transport>((resolve) => (this.#accept = resolve));
    const { url } = await this.#serve(VANISHES.test(name) ? IDLE : IDLE_DEFAULT);
    const program = new Program(farRuntime, `${kind.fixtures}/dial-compliance.ts`, [...kind.args, url]);
    const early = program.exited.then(() => {
      throw new Error(`${program.name} ended before it was connected: ${program.errors}`);
    });
    early.catch(() => {});
    const near = kind.asCase(await Promise.race([accepted, early]), "server");
    const dispose = async (): Promise<void> => {
      near.abort();
      program.kill();
      await program.exited;
    };
    return { near, ...traits, dispose };
  }

  async left(): Promise<void> {}

  async stop(): Promise<void> {
    for (const server of this.#servers.values()) await (await server).close();
  }

  #serve(idle: number): Promise<Listening> {
    let server = this.#servers.get(idle);
    if (server === undefined) {
      server = kind.serve((transport) => this.#accept(transport), { idle });
      this.#servers.set(idle, server);
    }
    return server;
  }
}

async function run(one: RemoteCase, make: () => Promise<RemotePair>): Promise<CaseResult> {
  const slow = kind.slow?.(one.name, nearEnd);
  if (slow !== undefined) return { name: one.name, status: "skipped", reason: slow };
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not over after ${BOUND / 1000} s`)), BOUND);
  });
  try {
    await Promise.race([one.run(make), late]);
    return { name: one.name, status: "passed" };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { name: one.name, status: "failed", reason };
  } finally {
    clearTimeout(timer);
  }
}

/** Clients here, and one server in another process for all cases. */
class FarServers {
  readonly #server = new FarServer(kind, farRuntime);

  async pair(): Promise<RemotePair> {
    const near = kind.asCase(await kind.dial(await this.#server.url()), "client");
    return { near, ...traits, dispose: async () => near.abort() };
  }

  left(): Promise<void> {
    return this.#server.left();
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }
}

const far = nearEnd === "client" ? new FarServers() : new FarClients();
for (const one of remoteCases) {
  const result = await run(one, () => far.pair(one.name));
  if (one === LEAVING && result.status === "passed") await far.left();
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
await far.stop();
process.stdout.write(`${JSON.stringify({ done: true })}\n`);
