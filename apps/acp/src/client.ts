// A client for the terminal: starts an agent, asks it what the user types, and lets it, where the user says so, read and write
// files below the folder it was started in and run programs there.
import process from "node:process";
import { Client, InitializeRequest, RequestPermissionRequest, type ActiveSession } from "@sluice/acp";
import { spawn } from "@sluice/stdio";
import { readArguments } from "./arguments.ts";
import { withFiles } from "./files.ts";
import { Screen } from "./screen.ts";
import { Terminals } from "./terminals.ts";

const { command, prompts, allow } = readArguments();
const [program = "", ...args] = command;
const screen = new Screen(allow);
const terminals = new Terminals();

try {
  await withFiles(Client.builder(), process.cwd())
    .name("sluice-client")
    .withConnectionBuilder(terminals.builder())
    .onReceiveRequest(RequestPermissionRequest, ({ toolCall, options }, responder, cx) => {
      responder.keep();
      // The user may take long.
      cx.spawn(async () => {
        const chosen = await screen.choose(toolCall.title ?? "Go on?", options, responder.signal);
        const outcome =
          chosen === undefined
            ? { outcome: "cancelled" as const }
            : { outcome: "selected" as const, optionId: chosen.optionId };
        if (!responder.isSettled) responder.respond({ outcome });
      });
    })
    .connectWith(spawn(program, args, { stderr: "inherit" }), async (cx) => {
      const clientCapabilities = { fs: { readTextFile: true, writeTextFile: true }, terminal: true };
      const { agentInfo } = await cx
        .sendRequest(InitializeRequest, { protocolVersion: 1, clientCapabilities })
        .result();
      screen.greet(agentInfo?.title ?? agentInfo?.name ?? program);
      await using session = await cx.buildSession(process.cwd()).start();
      for await (const prompt of prompts.length > 0 ? prompts : screen.prompts()) await take(session, prompt);
    });
} finally {
  terminals.close();
  screen.close();
}

/** A turn; Ctrl-C ends it, and not the client. */
async function take(session: ActiveSession, prompt: string): Promise<void> {
  const turn = session.prompt(prompt);
  const cancel = (): void => void turn.cancel();
  process.on("SIGINT", cancel);
  try {
    for await (const update of turn) screen.show(update);
    const { stopReason } = await turn.result();
    screen.end(stopReason);
  } catch (error) {
    screen.fail(error);
  } finally {
    process.off("SIGINT", cancel);
  }
}
