// An agent without a model, that an editor can start: it does in a turn what the prompt's first word says, with what the editor
// offers for it: its files, its terminals, its user's permission.
import {
  Agent,
  CancelNotification,
  InitializeRequest,
  NewSessionRequest,
  PromptRequest,
  sessionNotFound,
  type ClientCapabilities,
} from "@sluice/acp";
import { parent } from "@sluice/stdio";
import { COMMANDS, HELP } from "./commands.ts";
import { Turn, TurnCancelled } from "./turn.ts";

interface Session {
  readonly cwd: string;
  turn: AbortController | undefined;
}

const sessions = new Map<string, Session>();
let client: ClientCapabilities = {};

await Agent.builder()
  .name("sluice-example")
  .onReceiveRequest(InitializeRequest, ({ clientCapabilities = {} }, responder) => {
    client = clientCapabilities;
    responder.respond({
      protocolVersion: 1,
      agentInfo: { name: "sluice-example", title: "Sluice example", version: "1.0.0" },
      agentCapabilities: { promptCapabilities: { embeddedContext: true } },
    });
  })
  .onReceiveRequest(NewSessionRequest, ({ cwd }, responder, cx) => {
    const sessionId = crypto.randomUUID();
    sessions.set(sessionId, { cwd, turn: undefined });
    responder.respond({ sessionId });
    const turn = new Turn({ cx, sessionId, cwd, client, signal: cx.signal });
    void turn.commands(COMMANDS);
  })
  .onReceiveNotification(CancelNotification, ({ sessionId }) => sessions.get(sessionId)?.turn?.abort())
  .onReceiveRequest(PromptRequest, ({ sessionId, prompt }, responder, cx) => {
    const session = sessions.get(sessionId);
    if (session === undefined) throw sessionNotFound(sessionId);
    if (session.turn !== undefined) throw new Error("a turn runs already");
    const abort = new AbortController();
    session.turn = abort;
    const signal = AbortSignal.any([abort.signal, responder.signal]);
    const turn = new Turn({ cx, sessionId, cwd: session.cwd, client, signal });
    const text = prompt.map((block) => (block.type === "text" ? block.text : "")).join("");
    // A turn is long: the connection goes on beside it, to hear of its cancel.
    cx.spawn(async () => {
      try {
        const [name = "", ...words] = text.trim().split(/\s+/);
        const command = COMMANDS.find((one) => one.name === name.replace(/^\//, ""));
        if (command === undefined) await turn.say(HELP);
        else await command.run(turn, words);
        responder.respond({ stopReason: "end_turn" });
      } catch (error) {
        if (error instanceof TurnCancelled || signal.aborted) responder.respond({ stopReason: "cancelled" });
        else {
          await turn.say(`That failed: ${error instanceof Error ? error.message : String(error)}\n`);
          responder.respond({ stopReason: "end_turn" });
        }
      } finally {
        session.turn = undefined;
      }
    });
  })
  .connectTo(parent());
