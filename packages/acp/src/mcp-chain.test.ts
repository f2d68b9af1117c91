// The servers of a proxy in the sessions that pass it.
import { connect, mcp, RpcError, serve } from "@sluice/session";
import { anyRequest, Handled, request } from "@sluice/session/builder";
import { mcpServer, tool } from "@sluice/mcp";
import { memoryPair } from "@sluice/transport";
import { describe, expect, it } from "vitest";
import {
  Agent,
  Client,
  Conductor,
  mcpConnectionOf,
  Proxy,
  type McpConnection,
  type McpRevision,
} from "./index.ts";
import {
  echoServer,
  INITIALIZE,
  mcpSession,
  onStage,
  seeingAgent,
  textOfTool,
  type Result,
} from "./mcp-stage.testing.ts";

const REVISIONS: readonly McpRevision[] = ["connections", "requests"];

describe("mcp_server_handler_chain", () => {
  it("test_new_session_handler_invoked_with_mcp_server: injection does not claim the request", async () => {
    const seen: unknown[] = [];
    const proxy = Proxy.builder()
      .withMcpServer(echoServer())
      .onReceiveRequestFrom(Client, anyRequest, ({ method, params }) => {
        if (method === "session/new") seen.push(params);
        return Handled.no();
      });
    await onStage([proxy], async ({ agent }) => {
      expect(seen).toEqual([{ cwd: "/", mcpServers: agent.servers }]);
      expect(agent.servers).toEqual([
        { type: "acp", name: "echo", serverId: expect.stringMatching(/^mcp-server:[0-9a-f-]{36}$/) },
      ]);
    });
  });

  it("test_mcp_server_injected_into_all_session_setup_requests: with the same server id", async () => {
    const proxy = Proxy.builder().withMcpServer(echoServer());
    await onStage([proxy], async ({ client, agent }) => {
      const own = { name: "own", command: "/bin/x", args: [], env: [] };
      for (const method of ["session/load", "session/resume", "session/fork"])
        await client.sendRequest(request(method), { sessionId: "s", mcpServers: [own], _later: 1 }).result();
      await client.sendRequest(request("session/fork"), { sessionId: "s" }).result();
      const [declaration] = agent.setups[0]!.params["mcpServers"] as object[];
      const all = agent.setups.slice(1).map(({ method, params }) => [method, params]);
      expect(all).toEqual([
        ...["session/load", "session/resume", "session/fork"].map((method) => [
          method,
          { sessionId: "s", mcpServers: [own, declaration], _later: 1 },
        ]),
        ["session/fork", { sessionId: "s", mcpServers: [declaration] }],
      ]);
    });
  });

  it("other requests, and what is no list of servers, go by as they are", async () => {
    const proxy = Proxy.builder().withMcpServer(echoServer());
    await onStage([proxy], async ({ client, agent }) => {
      await client.sendRequest(request("session/list"), { cursor: "c" }).result();
      await client.sendRequest(request("session/load"), { mcpServers: "none" }).result();
      expect(agent.setups.slice(1)).toEqual([
        { method: "session/list", params: { cursor: "c" } },
        { method: "session/load", params: { mcpServers: "none" } },
      ]);
    });
  });

  it("a conductor of the newer spelling makes no difference", async () => {
    const agent = seeingAgent();
    const proxy = Proxy.builder().withMcpServer(echoServer());
    const conductor = Conductor.agent({ proxies: [proxy], agent: agent.builder }, { spelling: "proxy" });
    await Client.builder().connectWith(conductor, async (client) => {
      await client.sendRequest(request("initialize"), { protocolVersion: 1 }).result();
      await client.buildSession("/").start();
      for (const revision of REVISIONS) {
        const session = await mcpSession(agent.cx, agent.servers[0]!, revision);
        expect(await textOfTool(session, "echo", { text: 1 })).toBe("echo: 1");
      }
    });
  });

  it("each ACP connection has ids of its own", async () => {
    const proxy = Proxy.builder().withMcpServer(echoServer());
    const id = (): Promise<string> => onStage([proxy], async ({ agent }) => agent.servers[0]!.serverId);
    expect(await id()).not.toBe(await id());
  });

  it.each(REVISIONS)(
    "the servers of two proxies, two of one of them, each answer for themselves (%s)",
    async (revision) => {
      const first = Proxy.builder()
        .withMcpServer(echoServer("a"))
        .withMcpServer(echoServer("b"), { name: "bee" });
      const second = Proxy.builder().withMcpServer(echoServer("c"), { serverId: "sea" });
      await onStage([first, second], async ({ agent }) => {
        expect(agent.servers.map(({ name }) => name)).toEqual(["a", "bee", "c"]);
        expect(agent.servers[2]!.serverId).toBe("sea");
        const texts: string[] = [];
        for (const declaration of agent.servers) {
          const session = await mcpSession(agent.cx, declaration, revision);
          texts.push(await textOfTool(session, "echo", { text: 1 }));
        }
        expect(texts).toEqual(["a: 1", "b: 1", "c: 1"]);
      });
    },
  );

  it("a server without a name is refused, and a second one with a serverId", async () => {
    expect(() => Proxy.builder().withMcpServer(echoServer(""))).toThrow(TypeError);
    const proxy = Proxy.builder()
      .withMcpServer(echoServer("a"), { serverId: "x" })
      .withMcpServer(echoServer("b"), { serverId: "x" });
    await expect(onStage([proxy], async () => {})).rejects.toMatchObject({ code: -32603 });
  });
});

describe("scoped_mcp_server", () => {
  it.each(REVISIONS)("a session's own server answers in it, and is gone with it (%s)", async (revision) => {
    await onStage([Proxy.builder()], async ({ client, agent }) => {
      const builder = client.buildSession("/work").withMcpServer(echoServer("mine"));
      const declaration = await builder.runUntil(async () => {
        const [given] = agent.servers;
        expect(agent.setups.at(-1)).toMatchObject({ method: "session/new", params: { cwd: "/work" } });
        const mcpClient = await mcpSession(agent.cx, given!, revision);
        expect(await textOfTool(mcpClient, "echo", { text: "hi" })).toBe("mine: hi");
        return given!;
      });
      const { serverId } = declaration;
      const connecting = agent.cx.sendRequest(request("mcp/connect"), { serverId }).result();
      await expect(connecting).rejects.toMatchObject({ code: -33001 });
      const asking = agent.cx
        .sendRequest(request("mcp/message"), { serverId, requestId: "1", method: "ping" })
        .result();
      await expect(asking).rejects.toMatchObject({ code: -33001 });
    });
  });

  it("a server may close over what its session is about", async () => {
    await onStage([], async ({ client, agent }) => {
      const notes: string[] = [];
      const server = mcpServer({
        name: "notes",
        version: "1",
        tools: { note: tool({ run: ({ text }) => void notes.push(String(text)) }) },
      });
      await client
        .buildSession("/")
        .withMcpServer(server)
        .runUntil(async () => {
          const session = await mcpSession(agent.cx, agent.servers[0]!);
          await session.call("tools/call", { name: "note", arguments: { text: "one" } });
          await session.call("tools/call", { name: "note", arguments: { text: "two" } });
        });
      expect(notes).toEqual(["one", "two"]);
    });
  });

  it("a session that there has been before gets its servers, too", async () => {
    await onStage([], async ({ client, agent }) => {
      const request = { sessionId: "old", cwd: "/", mcpServers: [] };
      for (const builder of [client.loadSession(request), client.resumeSession(request)]) {
        await builder.withMcpServer(echoServer("again")).runUntil(async () => {
          const session = await mcpSession(agent.cx, agent.servers[0]!);
          expect(await textOfTool(session, "echo", { text: 1 })).toBe("again: 1");
        });
      }
      expect(agent.setups.slice(1).map(({ method }) => method)).toEqual(["session/load", "session/resume"]);
    });
  });

  it("a session with two servers of one serverId is not asked for, and leaves neither", async () => {
    await onStage([], async ({ client, agent }) => {
      const twice = client
        .buildSession("/")
        .withMcpServer(echoServer("a"), { serverId: "x" })
        .withMcpServer(echoServer("b"), { serverId: "x" });
      await expect(twice.start()).rejects.toThrow(TypeError);
      expect(agent.setups).toHaveLength(1);
      const again = client.buildSession("/").withMcpServer(echoServer("c"), { serverId: "x" });
      await again.runUntil(async () => {
        const session = await mcpSession(agent.cx, agent.servers[0]!);
        expect(await textOfTool(session, "echo", { text: 1 })).toBe("c: 1");
      });
    });
  });

  it("a server whose session is refused is gone with it", async () => {
    const agent = seeingAgent();
    let refused: { mcpServers: { serverId: string }[] } | undefined;
    const refusing = Proxy.builder().onReceiveRequestFrom(
      Client,
      request<{ cwd: string; mcpServers: { serverId: string }[] }>("session/new"),
      (params, responder) => {
        if (params.cwd !== "/no") return Handled.no();
        refused = params;
        return responder.respondWithError(new RpcError(1, "no"));
      },
    );
    await onStage(
      [refusing],
      async ({ client }) => {
        const started = client.buildSession("/no").withMcpServer(echoServer()).start();
        await expect(started).rejects.toMatchObject({ code: 1 });
        const { serverId } = refused!.mcpServers[0]!;
        const connecting = agent.cx.sendRequest(request("mcp/connect"), { serverId }).result();
        await expect(connecting).rejects.toMatchObject({ code: -33001 });
      },
      agent,
    );
  });

  it("a proxy gives a server to a session that it starts for its client", async () => {
    const proxy = Proxy.builder().onReceiveRequestFrom(
      Client,
      request<{ cwd: string; mcpServers: [] }>("session/new"),
      (params, responder, cx) =>
        cx
          .buildSessionFrom(params)
          .withMcpServer(echoServer("proxy"))
          .onProxySessionStart(responder as never),
    );
    await onStage([proxy], async ({ agent }) => {
      const session = await mcpSession(agent.cx, agent.servers[0]!);
      expect(await textOfTool(session, "echo", { text: 1 })).toBe("proxy: 1");
    });
  });
});

describe("standalone_mcp_server", () => {
  const standing = async (): Promise<{ call(method: string, params?: object): Promise<unknown> }> => {
    const server = mcpServer({
      name: "alone",
      version: "1",
      tools: {
        where: tool({ run: (_, context) => typeof mcpConnectionOf(context) }),
        echo: tool({ run: ({ text }) => String(text) }),
      },
    });
    const [left, right] = memoryPair();
    void serve(right, server.options);
    return connect(left, { dialect: mcp });
  };

  it("answers initialize without ACP", async () => {
    expect(await (await standing()).call("initialize", INITIALIZE)).toMatchObject({
      serverInfo: { name: "alone" },
    });
  });

  it("lists and calls its tools", async () => {
    const session = await standing();
    await session.call("initialize", INITIALIZE);
    const { tools } = (await session.call("tools/list")) as { tools: { name: string }[] };
    expect(tools.map(({ name }) => name)).toEqual(["where", "echo"]);
    const { content } = (await session.call("tools/call", {
      name: "echo",
      arguments: { text: "x" },
    })) as Result;
    expect(content[0]!.text).toBe("x");
  });

  it("refuses a tool there is not", async () => {
    const session = await standing();
    await session.call("initialize", INITIALIZE);
    await expect(session.call("tools/call", { name: "none" })).rejects.toMatchObject({ code: -32602 });
  });

  it("refuses what comes before initialize, but for ping", async () => {
    const session = await standing();
    expect(await session.call("ping")).toEqual({});
    await expect(session.call("tools/list")).rejects.toMatchObject({ code: -32600 });
  });

  it("its tools see no ACP connection", async () => {
    const session = await standing();
    await session.call("initialize", INITIALIZE);
    const { content } = (await session.call("tools/call", { name: "where" })) as Result;
    expect(content[0]!.text).toBe("undefined");
  });
});

describe("test_mcp_connection_context", () => {
  const whereServer = (seen: (McpConnection | undefined)[]) =>
    mcpServer({
      name: "where",
      version: "1",
      tools: {
        where: tool({
          async run(_, context) {
            const connection = mcpConnectionOf(context);
            seen.push(connection);
            const who = await connection!.acp
              .sendRequestTo(Client, request<object, string>("who"), {})
              .result();
            return `asked by ${context.client.info.name}, told by ${who}`;
          },
        }),
      },
    });

  it.each(REVISIONS)("tools see the server, the connection, and may speak ACP (%s)", async (revision) => {
    const seen: (McpConnection | undefined)[] = [];
    const proxy = Proxy.builder().withMcpServer(whereServer(seen));
    const outer = Proxy.builder();
    const answering = Proxy.builder().onReceiveRequestFrom(Agent, request("who"), (_, responder) =>
      responder.respond("the proxy before"),
    );
    await onStage([outer, answering, proxy], async ({ agent }) => {
      const [declaration] = agent.servers;
      const session = await mcpSession(agent.cx, declaration!, revision);
      expect(await textOfTool(session, "where")).toBe("asked by tests, told by the proxy before");
      expect(seen).toHaveLength(1);
      expect(seen[0]).toMatchObject({
        serverId: declaration!.serverId,
        connectionId:
          revision === "connections" ? expect.stringMatching(/^mcp-over-acp-connection:/) : undefined,
      });
    });
  });

  it("two connections to one server are told apart", async () => {
    const seen: (McpConnection | undefined)[] = [];
    const answering = Proxy.builder().onReceiveRequestFrom(Agent, request("who"), (_, responder) =>
      responder.respond("x"),
    );
    const proxy = Proxy.builder().withMcpServer(whereServer(seen));
    await onStage([answering, proxy], async ({ agent }) => {
      const one = await mcpSession(agent.cx, agent.servers[0]!);
      const two = await mcpSession(agent.cx, agent.servers[0]!);
      for (const session of [one, two, one]) await textOfTool(session, "where");
      const ids = seen.map((connection) => connection!.connectionId);
      expect(ids[0]).toBe(ids[2]);
      expect(ids[0]).not.toBe(ids[1]);
    });
  });
});

describe("test_mcp_tool_output_types", () => {
  const server = mcpServer({
    name: "types",
    version: "1",
    tools: {
      text: tool({ run: () => "a text" }),
      number: tool({ run: () => 42 }),
    },
  });
  it.each([
    ["text", "a text"],
    ["number", "42"],
  ])("what is no object is given as text: %s", async (name, text) => {
    for (const revision of REVISIONS)
      await onStage([Proxy.builder().withMcpServer(server)], async ({ agent }) => {
        const session = await mcpSession(agent.cx, agent.servers[0]!, revision);
        const { content } = await session.call<Result>("tools/call", { name });
        expect(content).toEqual([{ type: "text", text }]);
      });
  });
});

describe("test_tool_fn", () => {
  it.each(REVISIONS)("tools run at the same time, each call by itself (%s)", async (revision) => {
    const order: string[] = [];
    let go = (): void => {};
    const held = new Promise<void>((resolve) => (go = resolve));
    const server = mcpServer({
      name: "fn",
      version: "1",
      tools: {
        slow: tool({
          async run() {
            order.push("slow begins");
            await held;
            return "slow";
          },
        }),
        quick: tool({
          run() {
            order.push("quick");
            go();
            return "quick";
          },
        }),
      },
    });
    await onStage([Proxy.builder().withMcpServer(server)], async ({ agent }) => {
      const session = await mcpSession(agent.cx, agent.servers[0]!, revision);
      const both = [textOfTool(session, "slow"), textOfTool(session, "quick")];
      expect(await Promise.all(both)).toEqual(["slow", "quick"]);
      expect(order).toEqual(["slow begins", "quick"]);
    });
  });
});
