// A tour of a session between two real processes.
import { spawn as run } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { connect } from "@sluice/session";
import { readArguments, type Arguments } from "./arguments.ts";
import { commandFor, thisRuntime } from "./runtimes.ts";
import { Screen } from "./screen.ts";
import { round, type Outcome, type Stage, type Step } from "./step.ts";
import { calls } from "./steps/calls.ts";
import { file } from "./steps/file.ts";
import { kill } from "./steps/kill.ts";
import { leave } from "./steps/leave.ts";
import { slowReader } from "./steps/slow-reader.ts";
import { BETWEEN, startPeer } from "./transports.ts";

const STEPS: readonly Step[] = [calls, file, slowReader, leave, kill];

const args = readArguments();
process.exitCode = args.runtime === thisRuntime() ? await tour(args) : await elsewhere(args);

async function tour(given: Arguments): Promise<number> {
  const screen = new Screen(given.json);
  const { runtime, peerRuntime, transport } = given;
  screen.title(`Sluice: ${runtime} here, ${peerRuntime} there, ${BETWEEN[transport]}`);
  const command = commandFor(peerRuntime, fileURLToPath(new URL("peer.ts", import.meta.url)));
  const peer = await startPeer(transport, command);
  const session = await connect(peer.transport, {
    name: "demo",
    handlers: { "clock/now": () => Date.now() },
  });
  const stage: Stage = { session, peer, args: given, screen };
  const results: ({ name: string; ok: boolean } & Outcome["figures"])[] = [];
  for (const step of STEPS) {
    screen.title(`${results.length + 1}. ${step.title}`);
    const begun = performance.now();
    const { ok, says, figures } = await attempt(step, stage);
    screen.result(ok, says);
    results.push({ name: step.name, ok, ...figures, seconds: round((performance.now() - begun) / 1000) });
  }
  await session.close();
  const ok = results.every((result) => result.ok);
  if (given.json) console.log(JSON.stringify({ ok, runtime, peer: peerRuntime, transport, steps: results }));
  else screen.title(ok ? "All of it held." : "Not all of it held: see above.");
  return ok ? 0 : 1;
}

async function attempt(step: Step, stage: Stage): Promise<Outcome> {
  try {
    return await step.run(stage);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { ok: false, says: message, figures: { error: message } };
  }
}

// The same tour, started on another runtime.
function elsewhere(given: Arguments): Promise<number> {
  const [command, ...rest] = commandFor(
    given.runtime,
    fileURLToPath(import.meta.url),
    ...process.argv.slice(2),
  );
  const child = run(command, rest, { stdio: "inherit" });
  return new Promise((resolve) => {
    child.on("error", () => {
      console.error(`${given.runtime} is not here: install it, or leave out --runtime`);
      resolve(1);
    });
    child.on("exit", (code) => resolve(code ?? 1));
  });
}
