// An agent on the Agent Client Protocol's own SDK 2.4, over stdio, that does in a turn what the prompt's words say. The
// words are those of ../cases.ts; the Rust peer knows the same.
import { Readable, Writable } from "node:stream";
import process from "node:process";
import {
  agent,
  methods,
  ndJsonStream,
  PROTOCOL_VERSION,
  RequestError,
  type AgentContext,
  type PromptRequest,
  type PromptResponse,
  type SessionNotification,
  type SessionUpdate,
} from "@agentclientprotocol/sdk";
import { oneByOne } from "../one-by-one.ts";

interface SessionState {
  readonly cwd: string;
  /** What a load replays. */
  readonly history: SessionUpdate[];
  /** Ends the turn that runs. */
  turn: AbortController | undefined;
}

interface Turn {
  readonly sessionId: string;
  readonly session: SessionState;
  readonly client: AgentContext;
  /** Fires on `session/cancel`. */
  readonly cancelled: AbortSignal;
  /** Fires on `$/cancel_request`. */
  readonly abandoned: AbortSignal;
  readonly meta: PromptRequest["_meta"];
}

const sessions = new Map<string, SessionState>();
let notes = 0;

function chunk(text: string): SessionUpdate {
  return { sessionUpdate: "agent_message_chunk", content: { type: "text", text } };
}

async function update(turn: Turn, update: SessionUpdate, meta?: SessionNotification["_meta"]): Promise<void> {
  turn.session.history.push(update);
  await turn.client.notify(methods.client.session.update, {
    sessionId: turn.sessionId,
    update,
    ...(meta && { _meta: meta }),
  });
}

function say(turn: Turn, text: string): Promise<void> {
  return update(turn, chunk(text));
}

const words: Readonly<Record<string, (turn: Turn, rest: string) => Promise<void>>> = {
  echo: say,
  async updates(turn, count) {
    for (let n = 1; n <= Number(count); n++) await say(turn, String(n));
  },
  large: (turn, length) => say(turn, "x".repeat(Number(length))),
  async permission(turn) {
    const { sessionId, client } = turn;
    const { outcome } = await client.request(methods.client.session.requestPermission, {
      sessionId,
      toolCall: { toolCallId: "call", title: "A call", kind: "edit", status: "pending" },
      options: [
        { kind: "allow_once", name: "Allow", optionId: "allow" },
        { kind: "reject_once", name: "Reject", optionId: "reject" },
      ],
    });
    await say(turn, outcome.outcome === "selected" ? `selected ${outcome.optionId}` : outcome.outcome);
  },
  async fs(turn) {
    const { sessionId, session, client } = turn;
    const { content } = await client.request(methods.client.fs.readTextFile, {
      sessionId,
      path: `${session.cwd}/in.txt`,
      line: 2,
      limit: 1,
    });
    await client.request(methods.client.fs.writeTextFile, {
      sessionId,
      path: `${session.cwd}/out.txt`,
      content,
    });
    await say(turn, content);
  },
  async terminal(turn) {
    const { sessionId, session, client } = turn;
    const terminal = await client.createTerminal({
      sessionId,
      command: "print",
      args: ["a b", "c"],
      env: [{ name: "NAME", value: "value" }],
      cwd: session.cwd,
    });
    const { exitCode } = await terminal.waitForExit();
    const { output, truncated } = await terminal.currentOutput();
    await terminal.release();
    await say(turn, `${output} ${truncated} ${exitCode}`);
  },
  async wait(turn) {
    const { cancelled, abandoned } = turn;
    const over = new Promise<void>((resolve, reject) => {
      cancelled.addEventListener("abort", () => resolve());
      abandoned.addEventListener("abort", () => reject(RequestError.requestCancelled()));
    });
    over.catch(() => {}); // it is awaited once the client has been told
    await say(turn, "waiting");
    await over;
  },
  error: () => Promise.reject(new RequestError(1234, "asked to fail", { word: "error" })),
  async ext(turn, value) {
    await turn.client.notify("_test/note", { value });
    const answer = await turn.client.request<{ value: string }>("_test/echo", { value });
    await say(turn, answer.value);
  },
  notes: (turn) => say(turn, String(notes)),
  meta: (turn) => update(turn, chunk("meta"), turn.meta),
};

async function prompt(
  params: PromptRequest,
  client: AgentContext,
  abandoned: AbortSignal,
): Promise<PromptResponse> {
  const { sessionId, _meta: meta } = params;
  const session = find(sessionId);
  const text = params.prompt.map((block) => (block.type === "text" ? block.text : "")).join("");
  const [word = "", ...rest] = text.split(" ");
  const run = words[word];
  if (run === undefined) throw RequestError.invalidParams(undefined, "the prompt's first word is unknown");
  const controller = new AbortController();
  session.turn = controller;
  session.history.push({ sessionUpdate: "user_message_chunk", content: { type: "text", text } });
  try {
    const turn = { sessionId, session, client, cancelled: controller.signal, abandoned, meta };
    await run(turn, rest.join(" "));
  } finally {
    session.turn = undefined;
  }
  const stopReason = controller.signal.aborted ? "cancelled" : "end_turn";
  return { stopReason, ...(meta && { _meta: meta }) };
}

function find(sessionId: string): SessionState {
  const session = sessions.get(sessionId);
  if (session === undefined) throw RequestError.resourceNotFound(sessionId);
  return session;
}

interface Value {
  readonly value: string;
}

const input = Readable.toWeb(process.stdin) as ReadableStream<Uint8Array>;
agent({ name: "sdk-agent" })
  .onRequest(methods.agent.initialize, () => ({
    protocolVersion: PROTOCOL_VERSION,
    agentInfo: { name: "sdk-agent", version: "2.4.0" },
    agentCapabilities: { loadSession: true },
  }))
  .onRequest(methods.agent.session.new, ({ params: { cwd, _meta: meta } }) => {
    if (meta?.["test"] === "refuse") throw new RequestError(1235, "asked to refuse");
    const sessionId = crypto.randomUUID();
    sessions.set(sessionId, { cwd, history: [], turn: undefined });
    const availableModes = ["ask", "code"].map((id) => ({ id, name: id }));
    return { sessionId, modes: { currentModeId: "ask", availableModes } };
  })
  .onRequest(methods.agent.session.load, async ({ params: { sessionId }, client }) => {
    for (const update of find(sessionId).history)
      await client.notify(methods.client.session.update, { sessionId, update });
    return {};
  })
  .onRequest(methods.agent.session.setMode, async ({ params: { sessionId, modeId }, client }) => {
    const update: SessionUpdate = { sessionUpdate: "current_mode_update", currentModeId: modeId };
    await client.notify(methods.client.session.update, { sessionId, update });
    return {};
  })
  .onRequest(methods.agent.session.prompt, ({ params, client, signal }) => prompt(params, client, signal))
  .onNotification(methods.agent.session.cancel, ({ params }) => find(params.sessionId).turn?.abort())
  .onRequest(
    "_test/echo",
    (params) => params as Value,
    ({ params: { value } }) => ({ value }),
  )
  .onNotification(
    "_test/note",
    () => {},
    () => void notes++,
  )
  .connect(oneByOne(ndJsonStream(Writable.toWeb(process.stdout), input)));
