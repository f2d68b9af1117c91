import { RpcError } from "@sluice/session";
import { notification, request, type Builder, type ConnectOptions } from "@sluice/session/builder";
import { describe, expect, it } from "vitest";
import {
  Agent,
  CancelNotification,
  Client,
  Conductor,
  InitializeRequest,
  LoadSessionRequest,
  NewSessionRequest,
  PromptRequest,
  Proxy,
  ReadTextFileRequest,
  ResumeSessionRequest,
  SessionNotification,
  textOf,
  type ActiveSession,
  type ConnectionToAgent,
  type SessionMessage,
} from "./index.ts";
import { arrow, client, echo, gate, quiet, saying, Wire, type Json } from "./parts.testing.ts";

const WAYS = ["in one turn", "in one batch", "in separate turns"] as const;

/** A client whose agent is the test. */
async function withAgent(
  main: (cx: ConnectionToAgent) => Promise<unknown>,
  agent: (wire: Wire) => Promise<unknown>,
  builder: Builder<ConnectionToAgent> = Client.builder(),
  options: ConnectOptions = {},
): Promise<void> {
  const wire = new Wire();
  await Promise.all([builder.connectWith(wire.transport, main, options), agent(wire)]);
}

const answer = (id: unknown, result: unknown): Json => ({ jsonrpc: "2.0", id, result });
const update = (sessionId: string, text: string): Json => ({
  jsonrpc: "2.0",
  method: "session/update",
  params: saying(sessionId, text),
});

async function texts(session: ActiveSession, count: number): Promise<string[]> {
  const all: string[] = [];
  while (all.length < count) all.push(told(await session.readUpdate()));
  return all;
}
function told(message: SessionMessage): string {
  if (message.kind === "update") return textOf(message.update);
  return message.kind === "stop"
    ? `stop: ${message.response.stopReason}`
    : `failed: ${message.error.message}`;
}

describe("a session", () => {
  it("has what the agent answered: modes, config options, meta and what is unknown", async () => {
    const response = {
      sessionId: "s1",
      modes: { currentModeId: "ask", availableModes: [{ id: "ask", name: "Ask" }] },
      configOptions: [
        {
          type: "select",
          id: "model",
          name: "Model",
          currentValue: "a",
          options: [{ value: "a", name: "A" }],
        },
      ],
      later: { x: 1 },
      _meta: { y: 1 },
    };
    await withAgent(
      async (cx) => {
        const session = await cx.buildSession("/work").start();
        expect(session.sessionId).toBe("s1");
        expect(session.modes).toEqual(response.modes);
        expect(session.configOptions).toEqual(response.configOptions);
        expect(session.meta).toEqual({ y: 1 });
        expect(session.response).toEqual(response);
      },
      async (wire) => {
        const { id, params } = await wire.called("session/new");
        expect(params).toEqual({ cwd: "/work", mcpServers: [] });
        wire.say(answer(id, response));
      },
    );
  });

  it("gives the updates of a turn in order, unknown ones too, and then its end", async () => {
    const odd = { sessionUpdate: "later_kind", what: [1] };
    await withAgent(
      async (cx) => {
        const session = await cx.buildSession("/").start();
        const turn = session.prompt([{ type: "text", text: "go" }]);
        const kinds: unknown[] = [];
        for await (const one of turn) kinds.push(one);
        expect(kinds).toEqual([saying("s", "a").update, odd, saying("s", "b").update]);
        expect(await turn.result()).toEqual({ stopReason: "max_tokens", later: 1 });
        expect(await session.prompt("again").readToString()).toBe("cd");
        const passed = session.prompt("third");
        expect(await passed.result()).toEqual({ stopReason: "end_turn" });
      },
      async (wire) => {
        wire.say(answer((await wire.called("session/new")).id, { sessionId: "s" }));
        const first = await wire.called("session/prompt");
        expect(first.params).toEqual({ sessionId: "s", prompt: [{ type: "text", text: "go" }] });
        wire.say(update("s", "a"), update("other", "not ours"));
        wire.notify("session/update", { sessionId: "s", update: odd });
        wire.say(update("s", "b"), answer(first.id, { stopReason: "max_tokens", later: 1 }));
        const { id } = await wire.called("session/prompt");
        wire.say(update("s", "c"), update("s", "d"), answer(id, { stopReason: "end_turn" }));
        const third = await wire.called("session/prompt");
        wire.say(update("s", "e"), answer(third.id, { stopReason: "end_turn" }));
      },
    );
  });

  it.each(WAYS)("hears from the message right behind the answer on, %s, 1,000 times", async (way) => {
    const heard: string[][] = [];
    await withAgent(
      async (cx) => {
        for (let i = 0; i < 1000; i++) {
          const { opened, open } = gate();
          cx.buildSession("/").onSessionStart(async (session) => {
            heard.push(await texts(session, 2)); // O7: it may wait for what comes
            await session[Symbol.asyncDispose]();
            open();
          });
          await opened;
        }
      },
      async (wire) => {
        for (let i = 0; i < 1000; i++) {
          const { id } = await wire.called("session/new");
          const all = [answer(id, { sessionId: "s" }), update("s", `${i} a`), update("s", `${i} b`)];
          if (way === "in one batch") wire.say(all);
          else if (way === "in one turn") wire.say(...all);
          else
            for (const one of all) {
              wire.say(one);
              await quiet(1);
            }
        }
      },
    );
    expect(heard).toEqual(Array.from({ length: 1000 }, (_, i) => [`${i} a`, `${i} b`]));
  });

  it("hears what came before the answer as well, in order", async () => {
    await withAgent(
      async (cx) => {
        const session = await cx.buildSession("/").start();
        expect(await texts(session, 3)).toEqual(["early", "earlier than the answer", "after"]);
      },
      async (wire) => {
        const { id } = await wire.called("session/new");
        wire.say(update("s", "early"), update("s", "earlier than the answer"));
        await quiet();
        wire.say(answer(id, { sessionId: "s" }), update("s", "after"));
      },
    );
  });

  it("leaves requests that belong to it to the connection's handlers", async () => {
    const editor = Client.builder().onReceiveRequest(ReadTextFileRequest, ({ path }, responder) =>
      responder.respond({ content: `text of ${path}` }),
    );
    await withAgent(
      async (cx) => {
        const session = await cx.buildSession("/").start();
        expect(await texts(session, 1)).toEqual(["read"]);
      },
      async (wire) => {
        const { id } = await wire.called("session/new");
        wire.request("r", "fs/read_text_file", { sessionId: "s", path: "/early" });
        expect(await wire.answer("r")).toMatchObject({ result: { content: "text of /early" } });
        wire.say(answer(id, { sessionId: "s" }), update("s", "read"));
      },
      editor,
    );
  });

  it("is cancelled by a notification, and the turn ends as the agent says", async () => {
    await withAgent(
      async (cx) => {
        await using session = await cx.buildSession("/").start();
        const turn = session.prompt("go");
        await turn.cancel();
        expect(await turn.result()).toEqual({ stopReason: "cancelled" });
      },
      async (wire) => {
        wire.say(answer((await wire.called("session/new")).id, { sessionId: "s" }));
        const { id } = await wire.called("session/prompt");
        expect((await wire.called("session/cancel")).params).toEqual({ sessionId: "s" });
        wire.say(answer(id, { stopReason: "cancelled" }));
      },
    );
  });

  it("hears nothing once it is disposed of: the handlers of the connection do, and reading rejects", async () => {
    const rest: string[] = [];
    const editor = Client.builder().onReceiveNotification(SessionNotification, () => ({ handled: false }));
    editor.withHandler((dispatch) => {
      if (dispatch.kind === "notification") rest.push(dispatch.method);
      return { handled: false };
    });
    await withAgent(
      async (cx) => {
        const session = await cx.buildSession("/").start();
        expect(await texts(session, 1)).toEqual(["a"]);
        const waiting = session.readUpdate();
        await session[Symbol.asyncDispose]();
        await expect(waiting).rejects.toThrow('session "s" has been disposed of');
        await expect(session.readUpdate()).rejects.toThrow("disposed of");
        await cx.sendRequest(request("_more"), {}).result();
        await expect(session.readUpdate()).rejects.toThrow("disposed of");
        expect(cx.signal.aborted).toBe(false);
      },
      async (wire) => {
        wire.say(answer((await wire.called("session/new")).id, { sessionId: "s" }), update("s", "a"));
        const { id } = await wire.called("_more");
        wire.say(update("s", "b"), answer(id, null));
      },
      editor,
    );
    expect(rest).toEqual(["session/update", "session/update"]);
  });

  it("can be read to its end after the connection is over, and rejects then with the reason", async () => {
    let session: ActiveSession | undefined;
    await withAgent(
      async (cx) => {
        session = await cx.buildSession("/").start();
        await cx.sendRequest(request("_more"), {}).result();
      },
      async (wire) => {
        wire.say(answer((await wire.called("session/new")).id, { sessionId: "s" }));
        const { id } = await wire.called("_more");
        wire.say(update("s", "last"), answer(id, null));
      },
    );
    expect(await texts(session!, 1)).toEqual(["last"]);
    await expect(session!.readUpdate()).rejects.toMatchObject({ _tag: "SessionError" });
  });

  it("that nobody reads stops its agent after 1,024 messages, and goes on when they are read", async () => {
    const count = 3000;
    let sent = 0;
    const agent = echo().onReceiveNotification(notification("_go"), (_, cx) =>
      cx.spawn(async () => {
        const text = "x".repeat(64 * 1024);
        for (; sent < count; sent++)
          await cx.sendNotification(SessionNotification, saying("s1", `${sent} ${text}`));
      }),
    );
    await Client.builder().connectWith(
      agent,
      async (cx) => {
        const session = await cx.buildSession("/").start();
        await cx.sendNotification(notification("_go"), {});
        for (let before = -1; before !== sent;) {
          before = sent;
          await quiet(50);
        }
        expect(sent).toBeLessThan(1024 + 200);
        const all = await texts(session, count);
        expect(all.map((text) => Number.parseInt(text, 10))).toEqual(
          Array.from({ length: count }, (_, i) => i),
        );
      },
      { limits: { waiting: 4 } },
    );
  });

  it("can be started inside of a handler, and read there", async () => {
    const done = gate<string>();
    const editor = Client.builder().onReceiveNotification(notification("_begin"), async (_, cx) => {
      const session = await cx.buildSession("/").start();
      done.open(await session.prompt("hi").readToString());
    });
    const agent = echo().withRunner((cx) => cx.sendNotification(notification("_begin"), {}));
    await editor.connectWith(agent, async (cx) => {
      await cx.sendNotification(notification("_hello"), {});
      expect(await done.opened).toBe("hi");
    });
  });

  it("a malformed update is reported and passed over", async () => {
    const reported: string[] = [];
    await withAgent(
      async (cx) => {
        const session = await cx.buildSession("/").start();
        expect(await texts(session, 2)).toEqual(["a", "b"]);
      },
      async (wire) => {
        wire.say(answer((await wire.called("session/new")).id, { sessionId: "s" }), update("s", "a"));
        wire.notify("session/update", { sessionId: "s", update: { sessionUpdate: "agent_message_chunk" } });
        wire.notify("session/update", { sessionId: "s", secret: "words" });
        wire.say(update("s", "b"));
      },
      Client.builder(),
      { onHandlerError: (error) => reported.push((error as Error).message) },
    );
    expect(reported).toHaveLength(2);
    expect(reported.join()).not.toContain("words");
  });
});

describe("errors of the agent's leave the connection up", () => {
  const error = { code: -32000, message: "Authentication required", data: { methods: ["x"] } };

  it("an error answer to session/new is where it was asked, in each way of asking", async () => {
    const failed = gate<Error>();
    await withAgent(
      async (cx) => {
        await expect(cx.buildSession("/").start()).rejects.toMatchObject(error);
        await expect(cx.buildSession("/").runUntil(() => "never")).rejects.toMatchObject(error);
        cx.buildSession("/").onSessionStart(() => {}, failed.open);
        expect(await failed.opened).toMatchObject(error);
        cx.buildSession("/").onSessionStart(() => {}); // nobody wants to know
        expect(await cx.sendRequest(request("_still"), {}).result()).toBe("here");
      },
      async (wire) => {
        for (let i = 0; i < 4; i++)
          wire.say({ jsonrpc: "2.0", id: (await wire.called("session/new")).id, error });
        wire.say(answer((await wire.called("_still")).id, "here"));
      },
    );
  });

  it("an error answer to session/prompt is the turn's, and the session goes on", async () => {
    await withAgent(
      async (cx) => {
        const session = await cx.buildSession("/").start();
        const turn = session.prompt("one");
        const before: string[] = [];
        const reading = (async () => {
          for await (const one of turn) before.push(textOf(one));
        })();
        await expect(reading).rejects.toMatchObject(error);
        expect(before).toEqual(["a"]);
        await expect(session.prompt("two").readToString()).rejects.toBeInstanceOf(RpcError);
        await expect(session.prompt("three").result()).rejects.toBeInstanceOf(RpcError);
        expect(await session.prompt("four").readToString()).toBe("fine");
      },
      async (wire) => {
        wire.say(answer((await wire.called("session/new")).id, { sessionId: "s" }));
        const first = await wire.called("session/prompt");
        wire.say(update("s", "a"), { jsonrpc: "2.0", id: first.id, error });
        for (let i = 0; i < 2; i++)
          wire.say({ jsonrpc: "2.0", id: (await wire.called("session/prompt")).id, error });
        const { id } = await wire.called("session/prompt");
        wire.say(update("s", "fine"), answer(id, { stopReason: "end_turn" }));
      },
    );
  });
});

describe("a client without a handler", () => {
  it("answers a request of a session -32601 at once, and as soon as no session is awaited any more", async () => {
    await withAgent(
      async (cx) => {
        await cx.sendRequest(request("_one"), {}).result();
        const session = await cx.buildSession("/").start();
        expect(await texts(session, 1)).toEqual(["done"]);
      },
      async (wire) => {
        const one = await wire.called("_one");
        wire.request("a", "fs/read_text_file", { sessionId: "s", path: "/x" });
        expect(await wire.answer("a")).toMatchObject({ error: { code: -32601 } });
        wire.say(answer(one.id, null));
        const { id } = await wire.called("session/new");
        wire.request("b", "fs/read_text_file", { sessionId: "s", path: "/x" });
        wire.say(answer(id, { sessionId: "s" }));
        expect(await wire.answer("b")).toMatchObject({ error: { code: -32601 } });
        wire.say(update("s", "done"));
      },
    );
  });

  it("lets updates that nobody wants go by: a session that comes later hears none of them", async () => {
    await withAgent(
      async (cx) => {
        await cx.sendRequest(request("_flood"), {}).result();
        const session = await cx.buildSession("/").start();
        expect(await texts(session, 1)).toEqual(["first of ours"]);
      },
      async (wire) => {
        const { id } = await wire.called("_flood");
        for (let i = 0; i < 20_000; i++) wire.say(update("s", String(i)));
        wire.say(answer(id, null));
        const created = await wire.called("session/new");
        wire.say(answer(created.id, { sessionId: "s" }), update("s", "first of ours"));
      },
    );
  });
});

describe("a session there has been before", () => {
  const load = { sessionId: "old", cwd: "/", mcpServers: [] };

  it("is loaded: its history is replayed, one update after the other, and then it goes on", async () => {
    const history: string[] = [];
    let running = 0;
    await withAgent(
      async (cx) => {
        const loading = cx.loadSession(load, async (one) => {
          expect(running++).toBe(0);
          await quiet(1);
          history.push(textOf(one));
          running--;
        });
        const session = await loading.start();
        expect(history).toEqual(Array.from({ length: 2000 }, (_, i) => `h${i}`));
        expect([session.sessionId, session.modes]).toEqual(["old", null]);
        expect(await texts(session, 2)).toEqual(["new", "newer"]);
        expect(history).toHaveLength(2000);
      },
      async (wire) => {
        const { id, params } = await wire.called("session/load");
        expect(params).toEqual(load);
        const replay = Array.from({ length: 2000 }, (_, i) => update("old", `h${i}`));
        wire.say(...replay, update("other", "x"), answer(id, { modes: null }), update("old", "new"));
        wire.say(update("old", "newer"));
      },
    );
  });

  it("is loaded without its history where nobody asks for it", async () => {
    await withAgent(
      async (cx) => {
        await cx.loadSession(load).runUntil(async (session) => {
          expect(await texts(session, 1)).toEqual(["new"]);
        });
      },
      async (wire) => {
        const { id } = await wire.called("session/load");
        wire.say(update("old", "history"), answer(id, {}), update("old", "new"));
      },
    );
  });

  it("that cannot be loaded leaves no handler behind", async () => {
    const seen: string[] = [];
    await withAgent(
      async (cx) => {
        const loading = cx.loadSession(load, (one) => void seen.push(textOf(one)));
        await expect(loading.start()).rejects.toMatchObject({ code: -32002 });
        await cx.sendRequest(request("_more"), {}).result();
        expect(seen).toEqual(["h"]);
      },
      async (wire) => {
        const { id } = await wire.called("session/load");
        wire.say(update("old", "h"), { jsonrpc: "2.0", id, error: { code: -32002, message: "gone" } });
        const more = await wire.called("_more");
        wire.say(update("old", "late"), answer(more.id, null));
      },
    );
  });

  it("is resumed, and hears what came before the answer as well", async () => {
    await withAgent(
      async (cx) => {
        const session = await cx.resumeSession({ sessionId: "old", cwd: "/" }).start();
        expect(await texts(session, 2)).toEqual(["early", "late"]);
      },
      async (wire) => {
        const { id, params } = await wire.called("session/resume");
        expect(params).toEqual({ sessionId: "old", cwd: "/" });
        wire.say(update("old", "early"), answer(id, {}), update("old", "late"));
      },
    );
  });

  it("a proxy passes the replay on before the answer of the same batch", async () => {
    const agent = Agent.builder()
      .onReceiveRequest(InitializeRequest, (_, responder) => responder.respond({ protocolVersion: 1 }))
      .onReceiveRequest(LoadSessionRequest, async ({ sessionId }, responder, cx) => {
        for (let i = 0; i < 50; i++)
          void cx.sendNotification(SessionNotification, saying(sessionId, `h${i}`));
        responder.respond({});
      })
      .onReceiveRequest(ResumeSessionRequest, (_, responder) => responder.respond({}));
    const history: string[] = [];
    await Client.builder().connectWith(
      Conductor.agent({ proxies: [arrow(), Conductor.proxy([arrow()])], agent }),
      async (cx) => {
        await cx.sendRequest(InitializeRequest, { protocolVersion: 1 }).result();
        await cx.loadSession(load, (one) => void history.push(textOf(one))).start();
        expect(history).toEqual(Array.from({ length: 50 }, (_, i) => `>>h${i}`));
        await cx.resumeSession(load).start();
      },
    );
  });
});

describe("a proxy", () => {
  const initialize = { protocolVersion: 1 };
  it("starts a session on behalf of its client: the answer first, then its own part, then the session's messages", async () => {
    const order: string[] = [];
    const started = gate<string>();
    const proxy = Proxy.builder()
      .onReceiveRequestFrom(Client, NewSessionRequest, (params, responder, cx) =>
        cx
          .buildSessionFrom({ ...params, cwd: "/elsewhere" })
          .onProxySessionStart(responder, (sessionId) => started.open(sessionId)),
      )
      .onReceiveNotificationFrom(Agent, SessionNotification, (params, cx) => {
        order.push("update");
        return cx.sendNotificationTo(Client, SessionNotification, params);
      });
    const seen: Json[] = [];
    await Client.builder().connectWith(
      Conductor.agent({ proxies: [proxy, arrow()], agent: echo(seen) }),
      async (cx) => {
        await cx.sendRequest(InitializeRequest, initialize).result();
        const session = await cx.buildSessionFrom({ cwd: "/", mcpServers: [], _meta: { a: 1 } }).start();
        expect(await started.opened).toBe("s1");
        expect(order).toEqual([]);
        expect(await session.prompt("hi").readToString()).toBe(">hi");
        expect(order).toEqual(["update"]);
      },
    );
    expect(seen[1]).toEqual({
      method: "session/new",
      params: { cwd: "/elsewhere", mcpServers: [], _meta: { a: 1 } },
    });
  });

  it("may wait for the session it starts in its handler, and hears whether there is one", async () => {
    const outcomes: unknown[] = [];
    let times = 0;
    const agent = Agent.builder()
      .onReceiveRequest(InitializeRequest, (_, responder) => responder.respond(initialize))
      .onReceiveRequest(NewSessionRequest, (_, responder) => {
        if (times++ === 0) throw new RpcError(-32000, "who are you?");
        responder.respond({ sessionId: "s2" });
      });
    const proxy = Proxy.builder().onReceiveRequestFrom(
      Client,
      NewSessionRequest,
      async (params, responder, cx) => {
        const session = cx.buildSessionFrom(params).startSessionProxy(responder);
        outcomes.push(await session.catch((error: unknown) => (error as RpcError).code));
      },
    );
    await Client.builder().connectWith(Conductor.agent({ proxies: [proxy], agent }), async (cx) => {
      await cx.sendRequest(InitializeRequest, initialize).result();
      await expect(cx.buildSession("/").start()).rejects.toMatchObject({
        code: -32000,
        message: "who are you?",
      });
      expect((await cx.buildSession("/").start()).sessionId).toBe("s2");
    });
    expect(outcomes).toEqual([-32000, "s2"]);
  });

  it("may have a session of its own with the agent, of which the client hears nothing", async () => {
    const proxy = Proxy.builder().onReceiveRequestFrom(
      Client,
      PromptRequest,
      async (params, responder, cx) => {
        const words = await cx.buildSession("/").runUntil((own) => own.prompt("think").readToString());
        await cx.sendNotificationTo(
          Client,
          SessionNotification,
          saying(params.sessionId, `thought: ${words}`),
        );
        responder.respond({ stopReason: "end_turn" });
      },
    );
    const agent = Agent.builder();
    let sessions = 0;
    agent
      .onReceiveRequest(InitializeRequest, (_, responder) => responder.respond(initialize))
      .onReceiveRequest(NewSessionRequest, (_, responder) =>
        responder.respond({ sessionId: `s${sessions++}` }),
      )
      .onReceiveRequest(PromptRequest, async ({ sessionId }, responder, cx) => {
        await cx.sendNotification(SessionNotification, saying(sessionId, `hm, ${sessionId}`));
        responder.respond({ stopReason: "end_turn" });
      });
    const heard: string[] = [];
    const editor = Client.builder().onReceiveNotification(SessionNotification, ({ sessionId }) => {
      heard.push(sessionId);
      return { handled: false };
    });
    await editor.connectWith(Conductor.agent({ proxies: [proxy], agent }), async (cx) => {
      await cx.sendRequest(InitializeRequest, initialize).result();
      const session = await cx.buildSession("/").start();
      expect(await session.prompt("hi").readToString()).toBe("thought: hm, s1");
    });
    expect(heard).toEqual(["s0"]);
  });

  it("cancels a turn of its own", async () => {
    const cancelled = gate<string>();
    const agent = echo().onReceiveNotification(CancelNotification, ({ sessionId }) =>
      cancelled.open(sessionId),
    );
    const proxy = Proxy.builder().onReceiveRequestFrom(Client, request("_do"), async (_, responder, cx) => {
      const session = await cx.buildSession("/").start();
      await session.cancel();
      responder.respond(null);
    });
    await Client.builder().connectWith(Conductor.agent({ proxies: [proxy], agent }), async (cx) => {
      await cx.sendRequest(InitializeRequest, initialize).result();
      await cx.sendRequest(request("_do"), {}).result();
    });
    expect(await cancelled.opened).toBe("s1");
  });

  it("leaves a session to its client in the middle of it: nothing is lost and the order is kept, 100 times", async () => {
    const count = 200;
    for (let round = 0; round < 100; round++) {
      // Half of it comes once the client has all of the first half.
      const say = (from: number) => notification<object>(`_say${from}`);
      const agent = echo();
      for (const from of [0, count / 2])
        agent.onReceiveNotification(say(from), (_, cx) =>
          cx.spawn(async () => {
            for (let i = from; i < from + count / 2; i++)
              await cx.sendNotification(SessionNotification, saying("s1", String(i)));
          }),
        );
      const own: string[] = [];
      const left = gate<unknown>();
      const proxy = Proxy.builder().onReceiveRequestFrom(Client, request("_do"), async (_, responder, cx) => {
        const session = await cx.buildSession("/").start();
        await cx.sendNotificationTo(Agent, say(0), {});
        own.push(...(await texts(session, (round % 50) + 1)));
        responder.respond(null);
        await session.proxyRemainingMessages();
        left.open(await session.readUpdate().catch((error: unknown) => error));
      });
      const theirs: string[] = [];
      const [half, all] = [gate(), gate()];
      const editor = Client.builder().onReceiveNotification(SessionNotification, ({ update: one }) => {
        theirs.push(textOf(one));
        if (textOf(one) === String(count / 2 - 1)) half.open();
        if (textOf(one) === String(count - 1)) all.open();
      });
      await editor.connectWith(Conductor.agent({ proxies: [proxy], agent }), async (cx) => {
        await cx.sendRequest(InitializeRequest, initialize).result();
        await cx.sendRequest(request("_do"), {}).result();
        await half.opened;
        await cx.sendNotification(say(count / 2), {});
        await all.opened;
      });
      expect([...own, ...theirs]).toEqual(Array.from({ length: count }, (_, i) => String(i)));
      expect(own.length).toBe((round % 50) + 1);
      expect(String(await left.opened)).toContain('session "s1" has been left to the client');
    }
  });

  it("alone can leave a session to somebody", async () => {
    await withAgent(
      async (cx) => {
        const session = await cx.buildSession("/").start();
        await expect(session.proxyRemainingMessages()).rejects.toThrow(TypeError);
      },
      async (wire) => wire.say(answer((await wire.called("session/new")).id, { sessionId: "s" })),
    );
  });

  it("is asked through the wire what it asks in an envelope", async () => {
    const proxy = Proxy.builder().onReceiveRequestFrom(Client, NewSessionRequest, (params, responder, cx) =>
      cx.buildSessionFrom(params).onProxySessionStart(responder),
    );
    const { wire, over } = client(proxy);
    wire.request(1, "proxy/initialize", initialize);
    wire.say(answer((await wire.called("proxy/successor")).id, initialize));
    await wire.answer(1);
    wire.request(2, "session/new", { cwd: "/", mcpServers: [] });
    const { id, params } = await wire.called("proxy/successor");
    expect(params).toEqual({ method: "session/new", params: { cwd: "/", mcpServers: [] } });
    wire.say(answer(id, { sessionId: "s", later: 1 }));
    expect(await wire.answer(2)).toMatchObject({ result: { sessionId: "s", later: 1 } });
    wire.end();
    await over;
  });
});
