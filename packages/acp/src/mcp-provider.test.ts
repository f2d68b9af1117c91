// What goes over the wire between an agent and the servers it is given, in both revisions.
import { mcpServer, tool, type McpServer } from "@sluice/mcp";
import { mcp, RpcError } from "@sluice/session";
import { notification, request, Role, type Component, type ConnectionTo } from "@sluice/session/builder";
import { describe, expect, it } from "vitest";
import {
  Agent,
  Client,
  mcpConnectionOf,
  Proxy,
  type McpConnectOptions,
  type McpProviderOptions,
  type McpRevision,
} from "./index.ts";
import {
  echoServer,
  gate,
  INITIALIZE,
  mcpSession,
  onStage,
  textOfTool,
  type SeenAgent,
} from "./mcp-stage.testing.ts";

const Connect = request<object, { connectionId: string }>("mcp/connect");
const Message = request<object>("mcp/message");
const Disconnect = request<object>("mcp/disconnect");
const Notice = notification<object>("mcp/message");

/** An MCP server that does nothing but what these handlers do. */
const Bare: Role = new Role({ name: "Bare", counterpart: () => Bare, dialect: mcp });

/** A server on stage, and ways to ask it that are the same in both revisions. */
interface Wire {
  readonly agent: SeenAgent;
  readonly cx: ConnectionTo;
  readonly serverId: string;
  /** The inner result. Rejects with the inner error, or with the outer one. */
  ask(method: string, params?: object, signal?: AbortSignal): Promise<unknown>;
  /** What the servers of the stage have said to the agent. */
  readonly heard: { readonly method: string; readonly params: unknown }[];
}

let last = 0;

async function onWire<T>(
  revision: McpRevision,
  server: McpServer | (() => Component),
  use: (wire: Wire) => Promise<T>,
  options: McpProviderOptions = {},
): Promise<T> {
  const named: McpConnectOptions = { name: "bare", ...options };
  const proxy =
    typeof server === "function"
      ? Proxy.builder().withMcpServer(server, named)
      : Proxy.builder().withMcpServer(server, options);
  return onStage([proxy], async ({ agent }) => {
    const { cx } = agent;
    const [declaration] = agent.servers;
    const { serverId } = declaration!;
    const heard: Wire["heard"] = [];
    cx.addDynamicHandler((dispatch) => {
      if (dispatch.kind !== "notification" || dispatch.method !== "mcp/message") return { handled: false };
      const { method, params } = dispatch.params as { method: string; params: unknown };
      heard.push({ method, params });
      return undefined;
    });
    if (revision === "requests")
      return use({
        agent,
        cx,
        serverId,
        heard,
        async ask(method, params, signal) {
          const requestId = `r${last++}`;
          const outer = { serverId, requestId, method, ...(params && { params }) };
          const sent = cx.sendRequest(Message, outer);
          if (signal !== undefined) sent.cancelWith(signal);
          const carrier = (await sent.result()) as {
            result?: unknown;
            error?: { code: number; message: string };
          };
          if (carrier.error !== undefined) throw new RpcError(carrier.error.code, carrier.error.message);
          return carrier.result;
        },
      });
    const { connectionId } = await cx.sendRequest(Connect, { serverId }).result();
    const ask: Wire["ask"] = (method, params, signal) => {
      const sent = cx.sendRequest(Message, { connectionId, method, ...(params && { params }) });
      if (signal !== undefined) sent.cancelWith(signal);
      return sent.result();
    };
    if (typeof server !== "function") await ask("initialize", INITIALIZE);
    return use({ agent, cx, serverId, heard, ask });
  });
}

describe.each(["connections", "requests"] as const)("in the revision of %s", (revision) => {
  it("a tool is listed and called", async () => {
    await onWire(revision, echoServer(), async ({ ask }) => {
      expect(await ask("tools/list")).toEqual({ tools: [{ name: "echo", inputSchema: { type: "object" } }] });
      expect(await ask("tools/call", { name: "echo", arguments: { text: "a" } })).toEqual({
        content: [{ type: "text", text: "echo: a" }],
      });
    });
  });

  it("an error of the server's own comes as it is", async () => {
    await onWire(revision, echoServer(), async ({ ask }) => {
      await expect(ask("tools/call", { name: "none" })).rejects.toMatchObject({
        code: -32602,
        message: "no such tool: ask tools/list",
      });
      await expect(ask("nothing/such")).rejects.toMatchObject({ code: -32601 });
    });
  });

  it("progress comes in order and before the answer, a thousand of it", async () => {
    const server = mcpServer({
      name: "s",
      version: "1",
      tools: {
        count: tool({
          async run(_, { progress }) {
            for (let n = 1; n <= 1000; n++) await progress(n);
            return "counted";
          },
        }),
      },
    });
    await onWire(revision, server, async ({ ask, heard }) => {
      await ask("tools/call", { name: "count", _meta: { progressToken: "t" } });
      const expected = Array.from({ length: 1000 }, (_, i) => ({
        method: "notifications/progress",
        params: { progressToken: "t", progress: i + 1 },
      }));
      expect(heard).toEqual(expected);
    });
  });

  it("a cancel stops the tool, and is answered -32800", async () => {
    const [begun, stopped] = [gate(), gate()];
    const server = mcpServer({
      name: "s",
      version: "1",
      tools: {
        wait: tool({
          run: (_, { signal }) =>
            new Promise((resolve) => {
              signal.addEventListener("abort", () => {
                stopped.open();
                resolve("late");
              });
              begun.open();
            }),
        }),
      },
    });
    await onWire(revision, server, async ({ ask }) => {
      const abort = new AbortController();
      const called = ask("tools/call", { name: "wait" }, abort.signal);
      await begun.passed;
      abort.abort();
      await expect(called).rejects.toMatchObject({ code: -32800 });
      await stopped.passed;
    });
  });

  it("a server that does not answer what is cancelled does not hold it up", async () => {
    const begun = gate();
    const silent = (): Component =>
      Bare.builder()
        .onReceiveRequest(request("initialize"), (_, responder) => responder.respond({}))
        .onReceiveRequest(request("wait"), (_, responder) => {
          responder.keep();
          begun.open();
        });
    await onWire(revision, silent, async ({ ask }) => {
      const abort = new AbortController();
      const called = ask("wait", {}, abort.signal);
      await begun.passed;
      abort.abort();
      await expect(called).rejects.toMatchObject({ code: -32800 });
    });
  });

  it("limits.active: one request too many is answered -33000, and there is room again once one is over", async () => {
    const [begun, go] = [gate(), gate()];
    let running = 0;
    const server = mcpServer({
      name: "s",
      version: "1",
      tools: {
        hold: tool({
          async run() {
            if (++running === 2) begun.open();
            await go.passed;
            return "held";
          },
        }),
      },
    });
    await onWire(
      revision,
      server,
      async ({ ask }) => {
        const held = [ask("tools/call", { name: "hold" }), ask("tools/call", { name: "hold" })];
        await begun.passed;
        await expect(ask("tools/call", { name: "hold" })).rejects.toMatchObject({ code: -33000 });
        go.open();
        await Promise.all(held);
        expect(await ask("tools/call", { name: "hold" })).toMatchObject({ content: [{ text: "held" }] });
      },
      { limits: { active: 2 } },
    );
  });

  it("a server that is gone without an answer is -33002; what it answers while it fails is its answer", async () => {
    const failing = (): Component =>
      Bare.builder()
        .onReceiveRequest(request("initialize"), (_, responder) => responder.respond({}))
        .onReceiveRequest(request("crash"), (_, responder, cx) => {
          responder.keep();
          cx.spawn(() => {
            throw new Error("out of memory");
          });
        });
    const broken: Component = { connectTo: (transport) => Promise.resolve(transport.abort()) };
    await onWire(
      revision,
      () => broken,
      async ({ ask }) => {
        // In the other revision it is over by the second time.
        await expect(ask("ping")).rejects.toMatchObject({ code: -33002 });
        await expect(ask("ping")).rejects.toMatchObject({ code: -33002 });
      },
    );
    await onWire(revision, failing, async ({ ask }) => {
      await expect(ask("crash")).rejects.toMatchObject({
        code: -32603,
        message: expect.not.stringContaining("memory"),
      });
    });
  });

  it("a message without a method, or with params by position, is answered -32602", async () => {
    await onWire(revision, echoServer(), async ({ cx, serverId }) => {
      const address =
        revision === "requests"
          ? { serverId, requestId: "bad" }
          : await cx.sendRequest(Connect, { serverId }).result();
      for (const wrong of [
        {},
        { method: 1 },
        { method: "ping", params: [1] },
        { method: "ping", params: "x" },
      ])
        await expect(cx.sendRequest(Message, { ...address, ...wrong }).result()).rejects.toMatchObject({
          code: -32602,
        });
      expect(await cx.sendRequest(Message, { ...address, method: "ping", params: null }).result()).toEqual(
        revision === "requests" ? { result: {} } : {},
      );
    });
  });

  it("what runs is cancelled when the ACP connection ends", async () => {
    const [begun, stopped] = [gate(), gate<unknown>()];
    const server = mcpServer({
      name: "s",
      version: "1",
      tools: {
        wait: tool({
          run: (_, { signal }) =>
            new Promise<void>((resolve) => {
              begun.open();
              signal.addEventListener("abort", () => {
                stopped.open(signal.reason);
                resolve();
              });
            }),
        }),
      },
    });
    await onWire(revision, server, async ({ ask }) => {
      ask("tools/call", { name: "wait" }).catch(() => {});
      await begun.passed;
    });
    expect(await stopped.passed).toBeInstanceOf(Error);
    expect(server.clients).toBe(0);
  });
});

describe("connections", () => {
  const named = (seen: string[]): McpServer =>
    mcpServer({
      name: "s",
      version: "1",
      tools: { who: tool({ run: (_, { client }) => void seen.push(client.info.name) }) },
    });

  it("several are there at a time, each with its own client", async () => {
    const seen: string[] = [];
    await onWire("connections", named(seen), async ({ cx, serverId }) => {
      const ids: string[] = [];
      for (const name of ["one", "two"]) {
        const { connectionId } = await cx.sendRequest(Connect, { serverId }).result();
        const params = { ...INITIALIZE, clientInfo: { name, version: "1" } };
        await cx.sendRequest(Message, { connectionId, method: "initialize", params }).result();
        ids.push(connectionId);
      }
      for (const connectionId of ids)
        await cx
          .sendRequest(Message, { connectionId, method: "tools/call", params: { name: "who" } })
          .result();
      expect(seen).toEqual(["one", "two"]);
    });
  });

  it("one that is disconnected is gone, alone", async () => {
    const server = echoServer();
    await onWire("connections", server, async ({ cx, serverId, ask }) => {
      const { connectionId } = await cx.sendRequest(Connect, { serverId }).result();
      await cx.sendRequest(Message, { connectionId, method: "initialize", params: INITIALIZE }).result();
      expect(server.clients).toBe(2);
      expect(await cx.sendRequest(Disconnect, { connectionId }).result()).toEqual({});
      await expect(cx.sendRequest(Message, { connectionId, method: "ping" }).result()).rejects.toMatchObject({
        code: expect.any(Number),
      });
      expect(await ask("ping")).toEqual({});
      expect(server.clients).toBe(1);
    });
  });

  it("limits.connections: one too many is answered -33000, until one is disconnected", async () => {
    await onWire(
      "connections",
      echoServer(),
      async ({ cx, serverId }) => {
        const { connectionId } = await cx.sendRequest(Connect, { serverId }).result();
        const another = (): Promise<unknown> => cx.sendRequest(Connect, { serverId }).result();
        await expect(another()).rejects.toMatchObject({ code: -33000 });
        await cx.sendRequest(Disconnect, { connectionId }).result();
        await another();
      },
      { limits: { connections: 2 } },
    );
  });

  it("a connection that is over makes room for another where there is none", async () => {
    const begun = gate();
    const shortLived = (): Component =>
      Bare.builder().onReceiveRequest(request("end"), (_, responder, cx) => {
        responder.respond(null);
        cx.spawn(() => {
          begun.open();
          throw new Error("over");
        });
      });
    await onWire(
      "connections",
      shortLived,
      async ({ cx, serverId, ask }) => {
        const another = (): Promise<unknown> => cx.sendRequest(Connect, { serverId }).result();
        await expect(another()).rejects.toMatchObject({ code: -33000 });
        await ask("end");
        await begun.passed;
        // It is over a little later than it said.
        while ((await ask("ping").catch(({ code }) => code)) !== -33002);
        let opened: unknown;
        while (opened === undefined) opened = await another().catch(() => undefined);
        expect(opened).toMatchObject({ connectionId: expect.any(String) });
      },
      { limits: { connections: 1 } },
    );
  });

  it("limits.queued: a server that does not take its notifications is left, and nothing else is held up", async () => {
    const deaf: Component = {
      connectTo: (transport) =>
        new Promise((resolve) => {
          transport.start({ onData() {}, onDrain() {}, onEnd() {}, onClose: () => resolve() });
          transport.pause();
        }),
    };
    await onWire(
      "connections",
      () => deaf,
      async ({ cx, serverId }) => {
        const { connectionId } = await cx.sendRequest(Connect, { serverId }).result();
        const text = "x".repeat(100_000);
        for (let n = 0; n < 60; n++)
          await cx.sendNotification(Notice, { connectionId, method: "notifications/x", params: { text } });
        const asking = cx.sendRequest(Message, { connectionId, method: "ping" }).result();
        await expect(asking).rejects.toMatchObject({ code: -33002 });
        // It is the connection that is gone, not the server.
        await cx.sendRequest(Connect, { serverId }).result();
      },
      { limits: { queued: 4 } },
    );
  });

  it("a server calls the agent, which may fail, and whose cancel it hears", async () => {
    const cancelled = gate();
    const server = mcpServer({
      name: "s",
      version: "1",
      tools: {
        sample: tool({
          async run({ n }, { session }) {
            const sampled = session.call<{ text: string }>("sampling/createMessage", { n });
            return sampled.then(
              ({ text }) => text,
              ({ code }) => `failed ${code}`,
            );
          },
        }),
        impatient: tool({
          async run(_, { session }) {
            const abort = new AbortController();
            const sampled = session.call("sampling/createMessage", { n: 2 }, { signal: abort.signal });
            await session.call("ping");
            abort.abort();
            return sampled.then(String, () => "given up");
          },
        }),
      },
    });
    await onWire("connections", server, async ({ cx, ask }) => {
      cx.addDynamicHandler((dispatch) => {
        if (dispatch.kind !== "request" || dispatch.method !== "mcp/message") return { handled: false };
        const { method, params } = dispatch.params as { method: string; params: { n?: number } };
        const { responder } = dispatch;
        if (method === "ping") responder.respond({});
        else if (params.n === 0) responder.respond({ text: "sampled" });
        else if (params.n === 1) responder.respondWithError(new RpcError(-1, "no"));
        else
          responder.keep().onCancel((reason) => {
            responder.respondWithError(reason);
            cancelled.open();
          });
        return undefined;
      });
      const call = async (name: string, n = 0): Promise<string> => {
        const result = await ask("tools/call", { name, arguments: { n } });
        return (result as { content: [{ text: string }] }).content[0].text;
      };
      expect(await call("sample", 0)).toBe("sampled");
      expect(await call("sample", 1)).toBe("failed -1");
      expect(await call("impatient")).toBe("given up");
      await cancelled.passed;
    });
  });

  it("a function that throws is -33002, and what it threw is not told", async () => {
    const proxy = Proxy.builder().withMcpServer(
      () => {
        throw new Error("secret");
      },
      { name: "thrower" },
    );
    await onStage([proxy], async ({ agent }) => {
      const { serverId } = agent.servers[0]!;
      const connecting = agent.cx.sendRequest(Connect, { serverId }).result();
      await expect(connecting).rejects.toMatchObject({
        code: -33002,
        message: expect.not.stringContaining("secret"),
      });
    });
  });
});

describe("requests that stand for themselves", () => {
  it("the outcome is carried: a result, also null, or an error with its data", async () => {
    const bare = (): Component =>
      Bare.builder()
        .onReceiveRequest(request("nothing"), (_, responder) => responder.respond(null))
        .onReceiveRequest(request("fail"), (_, responder) =>
          responder.respondWithError(new RpcError(7, "so", { why: 1 })),
        );
    await onWire("requests", bare, async ({ cx, serverId }) => {
      const send = (method: string): Promise<unknown> =>
        cx.sendRequest(Message, { serverId, requestId: "1", method }).result();
      expect(await send("nothing")).toEqual({ result: null });
      expect(await send("fail")).toEqual({ error: { code: 7, message: "so", data: { why: 1 } } });
    });
  });

  it("a requestId that is missing, or of a request that is active, is -32602", async () => {
    const [begun, go] = [gate(), gate()];
    const bare = (): Component =>
      Bare.builder().onReceiveRequest(request("hold"), (_, responder) => {
        responder.keep();
        begun.open();
        void go.passed.then(() => responder.respond("done"));
      });
    await onWire("requests", bare, async ({ cx, serverId }) => {
      const send = (requestId?: unknown): Promise<unknown> =>
        cx.sendRequest(Message, { serverId, requestId, method: "hold" }).result();
      for (const wrong of [undefined, 1, null])
        await expect(send(wrong)).rejects.toMatchObject({ code: -32602 });
      const held = send("same");
      await begun.passed;
      await expect(send("same")).rejects.toMatchObject({ code: -32602 });
      go.open();
      expect(await held).toEqual({ result: "done" });
      expect(await send("same")).toEqual({ result: "done" });
    });
  });

  it("a server cannot call the agent", async () => {
    const server = mcpServer({
      name: "s",
      version: "1",
      tools: {
        ask: tool({
          run: (_, { session }) =>
            session.call("roots/list").then(
              () => "answered",
              ({ code }) => `refused ${code}`,
            ),
        }),
      },
    });
    await onWire("requests", server, async ({ ask }) => {
      expect(await ask("tools/call", { name: "ask" })).toMatchObject({
        content: [{ text: "refused -32601" }],
      });
    });
  });

  it("a server of conversations is MCP 2026-07-28 to who says so", async () => {
    const seen: unknown[] = [];
    const server = mcpServer({
      name: "s",
      version: "3",
      instructions: "be kind",
      tools: { who: tool({ run: (_, { client }) => void seen.push(client.info, client.capabilities) }) },
    });
    const meta = {
      _meta: {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": { roots: {} },
        "io.modelcontextprotocol/clientInfo": { name: "modern", version: "2" },
      },
    };
    await onWire("requests", server, async ({ ask }) => {
      expect(await ask("server/discover", meta)).toMatchObject({
        resultType: "complete",
        supportedVersions: ["2026-07-28"],
        capabilities: { tools: { listChanged: true } },
        _meta: { "io.modelcontextprotocol/serverInfo": { name: "s", version: "3" } },
        instructions: "be kind",
        ttlMs: 0,
        cacheScope: "private",
      });
      expect(await ask("tools/list", meta)).toMatchObject({
        resultType: "complete",
        ttlMs: 0,
        tools: [{ name: "who" }],
      });
      expect(await ask("tools/call", { name: "who", ...meta })).toEqual({
        resultType: "complete",
        content: [],
      });
      expect(seen).toEqual([{ name: "modern", version: "2" }, { roots: {} }]);
    });
  });
});

it("a tool that waits for ACP does not let go of a handler that holds the connection", async () => {
  const order: string[] = [];
  const [asked, answer, waiting] = [gate(), gate(), gate()];
  const server = mcpServer({
    name: "s",
    version: "1",
    tools: {
      ask: tool({
        async run(_, context) {
          await waiting.passed;
          const sent = mcpConnectionOf(context)!.acp.sendRequestTo(Client, request<object>("slow"), {});
          asked.open();
          await sent.result();
          return "asked";
        },
      }),
    },
  });
  // It holds its connection until the tool has asked, and for a while more; what comes then waits for it.
  const proxy = Proxy.builder()
    .withMcpServer(server)
    .onReceiveNotificationFrom(Client, notification("first"), async () => {
      order.push("first begins");
      waiting.open();
      await asked.passed;
      await new Promise<void>((resolve) => {
        const { port1, port2 } = new MessageChannel();
        port1.addEventListener("message", () => {
          port1.close();
          resolve();
        });
        port1.start();
        port2.postMessage(null);
      });
      order.push("first ends");
    })
    .onReceiveNotificationFrom(Client, notification("second"), () => {
      order.push("second");
      answer.open();
    });
  const before = Proxy.builder().onReceiveRequestFrom(Agent, request("slow"), (_, responder) => {
    responder.keep();
    void answer.passed.then(() => responder.respond(null));
  });
  await onStage([before, proxy], async ({ client, agent }) => {
    const session = await mcpSession(agent.cx, agent.servers[0]!);
    const called = textOfTool(session, "ask");
    // It has come to the tool: what is asked behind it is answered.
    await session.call("ping");
    await client.sendNotification(notification<object>("first"), {});
    await client.sendNotification(notification<object>("second"), {});
    expect(await called).toBe("asked");
    expect(order).toEqual(["first begins", "first ends", "second"]);
  });
});

describe("who is not meant", () => {
  it("a serverId that a proxy does not know falls through the chain", async () => {
    const near = Proxy.builder().withMcpServer(echoServer("near"));
    const far = Proxy.builder().withMcpServer(echoServer("far"));
    await onStage([near, far], async ({ agent }) => {
      const { serverId } = agent.servers[0]!;
      const { connectionId } = await agent.cx.sendRequest(Connect, { serverId }).result();
      const opened = agent.cx.sendRequest(Message, {
        connectionId,
        method: "initialize",
        params: INITIALIZE,
      });
      expect(await opened.result()).toMatchObject({ serverInfo: { name: "near" } });
      const nobody = agent.cx.sendRequest(Connect, { serverId: "nobody" }).result();
      await expect(nobody).rejects.toMatchObject({ code: -32601 });
    });
  });

  it("where a client provides servers, what is for none of them is -33001, or -32602 for a connection", async () => {
    await onStage([], async ({ client, agent }) => {
      await client
        .buildSession("/")
        .withMcpServer(echoServer())
        .runUntil(async () => {
          const { cx } = agent;
          const refused = async (type: typeof Message, params: object, code: number): Promise<void> => {
            await expect(cx.sendRequest(type, params).result()).rejects.toMatchObject({ code });
          };
          await refused(Connect, { serverId: "none" }, -33001);
          await refused(Message, { serverId: "none", requestId: "1", method: "ping" }, -33001);
          await refused(Message, { connectionId: "none", method: "ping" }, -32602);
          await refused(Disconnect, { connectionId: "none" }, -32602);
          await refused(Message, {}, -32602);
          await cx.sendNotification(Notice, { connectionId: "none", method: "notifications/x" });
          const { serverId } = agent.servers[0]!;
          await refused(Disconnect, { serverId }, -32602);
          expect(await cx.sendRequest(Connect, { serverId }).result()).toMatchObject({
            connectionId: expect.any(String),
          });
        });
    });
  });

  it("a client that provides none does not know the methods", async () => {
    await onStage([], async ({ agent }) => {
      const connecting = agent.cx.sendRequest(Connect, { serverId: "x" }).result();
      await expect(connecting).rejects.toMatchObject({ code: -32601 });
    });
  });

  it("a handler of the client's own comes before its servers", async () => {
    const seen: unknown[] = [];
    const builder = Client.builder().onReceiveRequest(Connect, (params, responder) => {
      seen.push(params);
      responder.respond({ connectionId: "mine" });
    });
    const agent = Agent.builder().onReceiveRequest(request("session/new"), async (_, responder, cx) => {
      await cx.sendRequest(Connect, { serverId: "x" }).result();
      responder.respond({ sessionId: "s" });
    });
    await builder.connectWith(agent, async (cx) => {
      await cx.buildSession("/").withMcpServer(echoServer()).start();
    });
    expect(seen).toEqual([{ serverId: "x" }]);
  });
});
