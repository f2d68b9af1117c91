import { dial } from "@sluice/ws";
import type { Transport } from "@sluice/transport";
import { asText, remoteCases, type RemotePair } from "@sluice/transport/compliance";
import { afterAll, describe, expect, it } from "vitest";
import {
  absence,
  own,
  runtimes,
  start,
  startServer,
  type Runtime,
  type ServerProcess,
} from "./fixtures/runtimes.ts";
import { served } from "./pairs.testing.ts";

type Protocol = "sluice.v1" | "jsonrpc";

/** Who can be paused, which holds its sender back. */
const CLIENTS: readonly Runtime[] = ["node", "deno", "bun"];
const SERVERS: readonly Runtime[] = ["node"];

/** One server for all cases of a runtime and protocol; the case in which it leaves makes room for the next. */
const servers = new Map<string, Promise<ServerProcess>>();
afterAll(async () => {
  for (const server of servers.values()) await (await server).kill();
});

function serverOn(runtime: Runtime, protocol: Protocol): Promise<ServerProcess> {
  const key = `${runtime} ${protocol}`;
  const known = servers.get(key);
  if (known !== undefined) return known;
  const server = startServer("serve-compliance", ["--protocol", protocol], runtime);
  servers.set(key, server);
  void server.then(({ exited }) => exited).then(() => servers.delete(key));
  return server;
}

/** We dial, the far end serves. */
async function dialling(runtime: Runtime, protocol: Protocol): Promise<RemotePair> {
  const server = await serverOn(runtime, protocol);
  const near = await dial(server.url, { protocols: [protocol] }).catch(async () => {
    // It has just left, and we were about to hear of it.
    await server.exited;
    return dial((await serverOn(runtime, protocol)).url, { protocols: [protocol] });
  });
  return {
    ...both(near, protocol),
    holdsBack: CLIENTS.includes(own) && SERVERS.includes(runtime),
    dispose: async () => near.abort(),
  };
}

/** We serve, the far end dials. */
async function serving(runtime: Runtime, protocol: Protocol): Promise<RemotePair> {
  const all = await served({ protocols: [protocol] });
  const dialler = start("dial-compliance", ["--protocol", protocol, all.server.url], runtime);
  const gone = dialler.exited.then((code) => {
    throw new Error(`the dialler ended with ${code} before it was accepted`);
  });
  const near = await Promise.race([all.accepted(), gone]);
  gone.catch(() => {});
  const dispose = async (): Promise<void> => {
    near.abort();
    await dialler.kill();
    await all.server.close();
  };
  return { ...both(near, protocol), holdsBack: SERVERS.includes(own) && CLIENTS.includes(runtime), dispose };
}

function both(near: Transport, protocol: Protocol): Pick<RemotePair, "near" | "halfCloses"> {
  return protocol === "jsonrpc"
    ? { near: asText(near, "acceptor"), halfCloses: false }
    : { near, halfCloses: true };
}

const ways = { "we dial": dialling, "we serve": serving } as const;

for (const runtime of runtimes) {
  for (const [way, make] of Object.entries(ways)) {
    for (const protocol of ["sluice.v1", "jsonrpc"] as const) {
      describe.skipIf(absence(runtime) !== undefined)(
        `${own} with ${runtime} over ${protocol}, where ${way}`,
        () => {
          for (const one of remoteCases)
            it(one.name, () => expect(one.run(() => make(runtime, protocol))).resolves.toBeUndefined());
        },
      );
    }
  }
}
