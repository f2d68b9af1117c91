// Calls and byte streams between two processes over a WebSocket on loopback.
import { fileURLToPath } from "node:url";
import { connect } from "@sluice/session";
import { dial } from "@sluice/ws";
import { bareBytes, bareCalls } from "./bare-ws.ts";
import { compare } from "./measure.ts";
import { runtime, type Section } from "./report.ts";
import { startServer } from "./start-server.ts";

const path = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

export async function ws(progress: (done: number) => void): Promise<Section> {
  const ours = await startServer(path("peer.ts"), "ws");
  const bare = await startServer(path("bare-ws-peer.ts"));
  const session = await connect(await dial(ours.url));
  const calls = await bareCalls(bare.url);
  const rows = await compare(
    { call: calls.call, bytes: (bytes) => bareBytes(bare.url, bytes) },
    session,
    progress,
  );
  calls.close();
  await session.close();
  ours.stop();
  bare.stop();
  return { section: "ws", runtime: runtime(), rows };
}
