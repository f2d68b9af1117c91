// An agent of ours that does in a turn what the prompt's words say: those of ../cases.ts.
import {
  Agent,
  CancelNotification,
  CreateTerminalRequest,
  InitializeRequest,
  invalidParams,
  LoadSessionRequest,
  NewSessionRequest,
  PromptRequest,
  PROTOCOL_VERSION,
  ReadTextFileRequest,
  ReleaseTerminalRequest,
  requestCancelled,
  RequestPermissionRequest,
  SessionNotification,
  sessionNotFound,
  SetSessionModeRequest,
  TerminalOutputRequest,
  WaitForTerminalExitRequest,
  WriteTextFileRequest,
} from "@sluice/acp";
import { RpcError } from "@sluice/session";
import { notification, request, type ConnectionTo } from "@sluice/session/builder";
import { parent } from "@sluice/stdio";

type Update = SessionNotification["update"];

interface SessionState {
  readonly cwd: string;
  /** What a load replays. */
  readonly history: Update[];
  /** Ends the turn that runs. */
  turn: AbortController | undefined;
}

interface Turn {
  readonly sessionId: string;
  readonly session: SessionState;
  readonly cx: ConnectionTo;
  /** Fires on `session/cancel`. */
  readonly cancelled: AbortSignal;
  /** Fires on `$/cancel_request`. */
  readonly abandoned: AbortSignal;
  readonly meta: PromptRequest["_meta"];
}

const Echo = request<{ value: string }, { value: string }>("_test/echo");
const Note = notification<{ value: string }>("_test/note");

const sessions = new Map<string, SessionState>();
let notes = 0;

function find(sessionId: string): SessionState {
  const session = sessions.get(sessionId);
  if (session === undefined) throw sessionNotFound(sessionId);
  return session;
}

function chunk(text: string): Update {
  return { sessionUpdate: "agent_message_chunk", content: { type: "text", text } };
}

function tell(turn: Turn, update: Update, meta?: SessionNotification["_meta"]): Promise<void> {
  const { sessionId, session, cx } = turn;
  session.history.push(update);
  return cx.sendNotification(SessionNotification, { sessionId, update, ...(meta && { _meta: meta }) });
}

function say(turn: Turn, text: string): Promise<void> {
  return tell(turn, chunk(text));
}

const words: Readonly<Record<string, (turn: Turn, rest: string) => Promise<void>>> = {
  echo: say,
  async updates(turn, count) {
    for (let n = 1; n <= Number(count); n++) await say(turn, String(n));
  },
  large: (turn, length) => say(turn, "x".repeat(Number(length))),
  async permission(turn) {
    const { sessionId, cx } = turn;
    const toolCall = { toolCallId: "call", title: "A call" };
    const options = [
      { optionId: "allow", name: "Allow", kind: "allow_once" as const },
      { optionId: "reject", name: "Reject", kind: "reject_once" as const },
    ];
    const asked = cx.sendRequest(RequestPermissionRequest, { sessionId, toolCall, options });
    const { outcome } = await asked.result();
    await say(turn, outcome.outcome === "selected" ? `selected ${outcome.optionId}` : outcome.outcome);
  },
  async fs(turn) {
    const { sessionId, session, cx } = turn;
    const read = { sessionId, path: `${session.cwd}/in.txt`, line: 2, limit: 1 };
    const { content } = await cx.sendRequest(ReadTextFileRequest, read).result();
    const write = { sessionId, path: `${session.cwd}/out.txt`, content };
    await cx.sendRequest(WriteTextFileRequest, write).result();
    await say(turn, content);
  },
  async terminal(turn) {
    const { sessionId, session, cx } = turn;
    const env = [{ name: "NAME", value: "value" }];
    const create = { sessionId, command: "print", args: ["a b", "c"], env, cwd: session.cwd };
    const { terminalId } = await cx.sendRequest(CreateTerminalRequest, create).result();
    const terminal = { sessionId, terminalId };
    const { exitCode } = await cx.sendRequest(WaitForTerminalExitRequest, terminal).result();
    const { output, truncated } = await cx.sendRequest(TerminalOutputRequest, terminal).result();
    await cx.sendRequest(ReleaseTerminalRequest, terminal).result();
    await say(turn, `${output} ${truncated} ${exitCode}`);
  },
  async wait(turn) {
    const { cancelled, abandoned } = turn;
    const over = new Promise<void>((resolve, reject) => {
      cancelled.addEventListener("abort", () => resolve());
      abandoned.addEventListener("abort", () => reject(requestCancelled()));
    });
    over.catch(() => {}); // it is awaited once the client has been told
    await say(turn, "waiting");
    await over;
  },
  error: () => Promise.reject(new RpcError(1234, "asked to fail", { word: "error" })),
  async ext(turn, value) {
    await turn.cx.sendNotification(Note, { value });
    await say(turn, (await turn.cx.sendRequest(Echo, { value }).result()).value);
  },
  notes: (turn) => say(turn, String(notes)),
  meta: (turn) => tell(turn, chunk("meta"), turn.meta),
};

await Agent.builder()
  .name("sluice-agent")
  .onReceiveRequest(InitializeRequest, (_request, responder) =>
    responder.respond({
      protocolVersion: PROTOCOL_VERSION,
      agentInfo: { name: "sluice-agent", version: "0.1.0" },
      agentCapabilities: { loadSession: true },
    }),
  )
  .onReceiveRequest(NewSessionRequest, ({ cwd, _meta: meta }, responder) => {
    if (meta?.["test"] === "refuse") throw new RpcError(1235, "asked to refuse");
    const sessionId = crypto.randomUUID();
    sessions.set(sessionId, { cwd, history: [], turn: undefined });
    const availableModes = ["ask", "code"].map((id) => ({ id, name: id }));
    responder.respond({ sessionId, modes: { currentModeId: "ask", availableModes } });
  })
  .onReceiveRequest(LoadSessionRequest, async ({ sessionId }, responder, cx) => {
    for (const update of find(sessionId).history)
      await cx.sendNotification(SessionNotification, { sessionId, update });
    responder.respond({});
  })
  .onReceiveRequest(SetSessionModeRequest, async ({ sessionId, modeId }, responder, cx) => {
    find(sessionId);
    const update: Update = { sessionUpdate: "current_mode_update", currentModeId: modeId };
    await cx.sendNotification(SessionNotification, { sessionId, update });
    responder.respond({});
  })
  .onReceiveRequest(PromptRequest, ({ sessionId, prompt, _meta: meta }, responder, cx) => {
    const session = find(sessionId);
    const text = prompt.map((block) => (block.type === "text" ? block.text : "")).join("");
    const [word = "", ...rest] = text.split(" ");
    const run = words[word];
    if (run === undefined) throw invalidParams("the prompt's first word is unknown");
    const controller = new AbortController();
    session.turn = controller;
    session.history.push({ sessionUpdate: "user_message_chunk", content: { type: "text", text } });
    const turn = { sessionId, session, cx, cancelled: controller.signal, abandoned: responder.signal, meta };
    cx.spawn(
      async () => {
        await run(turn, rest.join(" "));
        const stopReason = controller.signal.aborted ? "cancelled" : "end_turn";
        responder.respond({ stopReason, ...(meta && { _meta: meta }) });
      },
      { onError: (error) => responder.respondWithError(error) },
    );
  })
  .onReceiveNotification(CancelNotification, ({ sessionId }) => find(sessionId).turn?.abort())
  .onReceiveRequest(Echo, ({ value }, responder) => responder.respond({ value }))
  .onReceiveNotification(Note, () => void notes++)
  .connectTo(parent());
