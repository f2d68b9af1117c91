// The agent's side: a declared server as a transport, and what comes for it.
import { mcpServer, tool } from "@sluice/mcp";
import { connect, mcp, RpcError, type Session } from "@sluice/session";
import { anyRequest, notification, request } from "@sluice/session/builder";
import { describe, expect, it } from "vitest";
import { Agent, Client, mcpOverAcp, Proxy, type McpRevision } from "./index.ts";
import { echoServer, gate, INITIALIZE, mcpSession, onStage, textOfTool } from "./mcp-stage.testing.ts";

const Message = request<object>("mcp/message");
const Notice = notification<object>("mcp/message");

/** What a client that plays the provider was asked, and how it answers. */
type Play = (method: string, params: Record<string, unknown>) => unknown;

/** An agent that uses the server `x` of a client that is not one of ours. */
async function against<T>(
  play: Play,
  use: (agent: { readonly session: () => Promise<Session>; readonly asked: string[] }) => Promise<T>,
  revision?: McpRevision,
): Promise<T> {
  const asked: string[] = [];
  const done = gate<T>();
  const agent = Agent.builder().onReceiveRequest(request("go"), async (_, responder, cx) => {
    const session = (): Promise<Session> =>
      connect(mcpOverAcp(cx, { serverId: "x" }, revision === undefined ? {} : { revision }), {
        dialect: mcp,
      });
    done.open(await use({ session, asked }));
    responder.respond(null);
  });
  const client = Client.builder().onReceiveRequest(anyRequest, async ({ method, params }, responder) => {
    asked.push(method);
    responder.respond(await play(method, params as Record<string, unknown>));
  });
  await client.connectWith(agent, (cx) => cx.sendRequest(request("go"), {}).result());
  return done.passed;
}

describe("a declared server", () => {
  it.each(["connections", "requests", undefined] as const)(
    "is a transport for a session of dialect mcp (revision %s)",
    async (revision) => {
      await onStage([Proxy.builder().withMcpServer(echoServer())], async ({ agent }) => {
        const session = await mcpSession(agent.cx, agent.servers[0]!, revision);
        expect(await textOfTool(session, "echo", { text: 1 })).toBe("echo: 1");
        await expect(session.call("tools/call", { name: "none" })).rejects.toMatchObject({ code: -32602 });
      });
    },
  );

  it("may be used in the very handler that is told of it", async () => {
    const texts: string[] = [];
    const agent = Agent.builder().onReceiveRequest(
      request<{ mcpServers: [{ serverId: string }] }>("session/new"),
      async ({ mcpServers }, responder, cx) => {
        const session = await mcpSession(cx, mcpServers[0]);
        texts.push(await textOfTool(session, "echo", { text: "early" }));
        responder.respond({ sessionId: "s" });
      },
    );
    await Client.builder().connectWith(agent, async (cx) => {
      await cx.buildSession("/").withMcpServer(echoServer()).start();
    });
    expect(texts).toEqual(["echo: early"]);
  });

  it.each(["connections", "requests"] as const)(
    "hears progress, and a cancel reaches the tool (%s)",
    async (revision) => {
      const stopped = gate();
      const server = mcpServer({
        name: "s",
        version: "1",
        tools: {
          wait: tool({
            async run(_, { progress, signal }) {
              const over = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
              await progress(1);
              await over;
              stopped.open();
            },
          }),
        },
      });
      await onStage([Proxy.builder().withMcpServer(server)], async ({ agent }) => {
        const begun = gate<unknown>();
        const session = await mcpSession(agent.cx, agent.servers[0]!, revision, {
          notifications: { "notifications/progress": (params: unknown) => begun.open(params) },
        });
        const abort = new AbortController();
        const params = { name: "wait", _meta: { progressToken: 5 } };
        const called = session.call("tools/call", params, { signal: abort.signal });
        expect(await begun.passed).toEqual({ progressToken: 5, progress: 1 });
        abort.abort();
        await expect(called).rejects.toMatchObject({ _tag: "CancelledError" });
        await stopped.passed;
      });
    },
  );

  it("is asked for its client's say, too", async () => {
    const server = mcpServer({
      name: "s",
      version: "1",
      tools: {
        roots: tool({
          run: async (_, { session }) => JSON.stringify(await session.call("roots/list")),
        }),
      },
    });
    await onStage([Proxy.builder().withMcpServer(server)], async ({ agent }) => {
      const session = await mcpSession(agent.cx, agent.servers[0]!, "connections", {
        handlers: { "roots/list": () => ({ roots: [{ uri: "file:///" }] }) },
      });
      expect(await textOfTool(session, "roots")).toBe('{"roots":[{"uri":"file:///"}]}');
    });
  });

  it("is left by closing: the provider is told, once", async () => {
    const server = echoServer();
    const closed = gate<unknown>();
    const watching = Proxy.builder().onReceiveRequestFrom(
      Agent,
      request("mcp/disconnect"),
      (params, responder) => {
        closed.open(params);
        responder.respond({});
      },
    );
    await onStage([Proxy.builder().withMcpServer(server), watching], async ({ agent }) => {
      const session = await mcpSession(agent.cx, agent.servers[0]!);
      await session.close();
      expect(await closed.passed).toEqual({
        connectionId: expect.stringMatching(/^mcp-over-acp-connection:/),
      });
    });
  });

  it("that nobody provides ends the transport, and says why", async () => {
    await onStage([], async ({ client, agent }) => {
      await client.buildSession("/").withMcpServer(echoServer()).start();
      const session = await connect(mcpOverAcp(agent.cx, { serverId: "none" }), { dialect: mcp });
      const error = await session.closed;
      expect(error).toMatchObject({ code: "lost", cause: { _tag: "TransportError" } });
      expect(error.message).toContain("no MCP server of this serverId");
    });
  });

  it("ends with the ACP connection", async () => {
    const session = await onStage([Proxy.builder().withMcpServer(echoServer())], async ({ agent }) =>
      mcpSession(agent.cx, agent.servers[0]!),
    );
    await session.closed;
    await expect(session.call("ping")).rejects.toMatchObject({ _tag: "SessionError" });
  });
});

it("a client has no servers that are declared to it", async () => {
  await onStage([], async ({ client }) => {
    expect(() => mcpOverAcp(client, { serverId: "x" })).toThrow(TypeError);
  });
});

describe("a provider of another make", () => {
  const unknown = (): never => {
    throw new RpcError(-32601, "method not found");
  };

  it("that knows no connections is asked by requests, with who the client is", async () => {
    const seen: Record<string, unknown>[] = [];
    await against(
      (method, params) => {
        if (method === "mcp/connect") return unknown();
        if (params["method"] === "server/discover") return { result: {} };
        seen.push(params);
        return { result: { ok: seen.length }, error: { code: 1, message: "the result wins" } };
      },
      async ({ session, asked }) => {
        const client = await session();
        expect(await client.call("initialize", INITIALIZE)).toEqual({ ok: 1 });
        await client.notify("notifications/initialized");
        expect(await client.call("tools/call", { name: "t", _meta: { mine: 1 } })).toEqual({ ok: 2 });
        expect(asked).toEqual(["mcp/connect", "mcp/message", "mcp/message", "mcp/message"]);
        expect(seen[1]).toEqual({
          serverId: "x",
          requestId: expect.any(String),
          method: "tools/call",
          params: {
            name: "t",
            _meta: {
              mine: 1,
              "io.modelcontextprotocol/clientCapabilities": { sampling: {} },
              "io.modelcontextprotocol/clientInfo": INITIALIZE.clientInfo,
            },
          },
        });
        expect(seen[0]!["requestId"]).not.toBe(seen[1]!["requestId"]);
      },
    );
  });

  it("one of MCP 2026-07-28 is a server of conversations to a client of those", async () => {
    const seen: Record<string, unknown>[] = [];
    await against(
      (_method, params) => {
        seen.push(params);
        if (params["method"] !== "server/discover") return { result: { resultType: "complete", tools: [] } };
        return {
          result: {
            resultType: "complete",
            supportedVersions: ["2026-07-28"],
            capabilities: { tools: {} },
            instructions: "be kind",
            _meta: { "io.modelcontextprotocol/serverInfo": { name: "modern", version: "9" } },
          },
        };
      },
      async ({ session }) => {
        const client = await session();
        for (const [asked, settled] of [
          ["2025-06-18", "2025-06-18"],
          ["2099-01-01", "2025-11-25"],
        ])
          expect(await client.call("initialize", { ...INITIALIZE, protocolVersion: asked })).toEqual({
            protocolVersion: settled,
            capabilities: { tools: {} },
            serverInfo: { name: "modern", version: "9" },
            instructions: "be kind",
          });
        expect(await client.call("ping")).toEqual({});
        expect(await client.call("tools/list")).toMatchObject({ tools: [] });
        expect(seen.map(({ method }) => method)).toEqual([
          "server/discover",
          "server/discover",
          "tools/list",
        ]);
        expect(seen[2]!["params"]).toEqual({
          _meta: {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": { sampling: {} },
            "io.modelcontextprotocol/clientInfo": INITIALIZE.clientInfo,
          },
        });
      },
      "requests",
    );
  });

  it("an inner error that it carries is the error; what carries nothing is -33002", async () => {
    const carriers: unknown[] = [
      { error: { code: 5, message: "inner", data: [1] } },
      { error: { message: "no code" } },
      "nothing",
      {},
    ];
    await against(
      () => carriers.shift(),
      async ({ session }) => {
        const client = await session();
        await expect(client.call("a")).rejects.toMatchObject({ code: 5, message: "inner", data: [1] });
        for (let n = 0; n < 3; n++) await expect(client.call("a")).rejects.toMatchObject({ code: -33002 });
      },
      "requests",
    );
  });

  it("an outer error of its own comes as it is", async () => {
    await against(
      () => {
        throw new RpcError(-33000, "busy");
      },
      async ({ session }) => {
        const client = await session();
        await expect(client.call("a")).rejects.toMatchObject({ code: -33000, message: "busy" });
      },
      "requests",
    );
  });

  it("one that must know connections, and does not, cannot be reached", async () => {
    await against(
      unknown,
      async ({ session, asked }) => {
        const error = await (await session()).closed;
        expect(error.message).toContain("cannot be reached");
        expect(asked).toEqual(["mcp/connect"]);
      },
      "connections",
    );
  });

  it("one whose answer to mcp/connect has no connectionId is -33002", async () => {
    await against(
      () => ({}),
      async ({ session }) => {
        expect((await (await session()).closed).message).toContain("failed without an answer");
      },
    );
  });
});

describe("what comes for nobody", () => {
  it("a request for an unknown connectionId is answered -32602, and a notification is ignored", async () => {
    const proxy = Proxy.builder().withMcpServer(echoServer());
    await onStage([proxy], async ({ client, agent }) => {
      const session = await mcpSession(agent.cx, agent.servers[0]!);
      await client.sendNotification(Notice, { connectionId: "none", method: "notifications/x" });
      await client.sendNotification(Notice, { serverId: "x", requestId: "none", method: "notifications/x" });
      await client.sendNotification(Notice, {});
      for (const params of [{ connectionId: "none", method: "ping" }, { serverId: "x", requestId: "y" }, {}])
        await expect(client.sendRequest(Message, params).result()).rejects.toMatchObject({ code: -32602 });
      expect(await textOfTool(session, "echo", { text: "still here" })).toBe("echo: still here");
    });
  });

  it("a notification for a request that has been answered is ignored", async () => {
    const heard: string[] = [];
    const agent = Agent.builder().onReceiveRequest(request("go"), async (_, responder, cx) => {
      const transport = mcpOverAcp(cx, { serverId: "x" }, { revision: "requests" });
      const session = await connect(transport, {
        dialect: mcp,
        fallbackNotification: (_params, { method }) => void heard.push(method),
      });
      await session.call("one");
      await session.call("two");
      responder.respond(null);
    });
    let first: unknown;
    const client = Client.builder().onReceiveRequest(Message, async (params, responder, cx) => {
      const { serverId, requestId, method } = params as Record<string, string>;
      first ??= requestId;
      await cx.sendNotification(Notice, { serverId, requestId, method: `notifications/${method}` });
      await cx.sendNotification(Notice, { serverId, requestId: first, method: "notifications/first" });
      responder.respond({ result: null });
    });
    await client.connectWith(agent, (cx) => cx.sendRequest(request("go"), {}).result());
    expect(heard).toEqual(["notifications/one", "notifications/first", "notifications/two"]);
  });
});
