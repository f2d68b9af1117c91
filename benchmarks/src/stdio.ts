// Calls and byte streams between two processes over a pipe.
import { fileURLToPath } from "node:url";
import { connect } from "@sluice/session";
import { spawn } from "@sluice/stdio";
import { bareBytes, bareCalls } from "./bare-stdio.ts";
import { command } from "./command.ts";
import { compare } from "./measure.ts";
import { runtime, type Section } from "./report.ts";

export async function stdio(progress: (done: number) => void): Promise<Section> {
  const [file, ...args] = command(fileURLToPath(new URL("peer.ts", import.meta.url)), "stdio");
  const session = await connect(spawn(file!, args));
  const bare = bareCalls();
  const rows = await compare({ call: bare.call, bytes: bareBytes }, session, progress);
  bare.close();
  await session.close();
  return { section: "stdio", runtime: runtime(), rows };
}
