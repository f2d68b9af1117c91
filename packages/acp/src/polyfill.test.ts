// The polyfill with an HTTP server that is played; tests/src/acp has real ones.
import { connect, mcp, type Session } from "@sluice/session";
import { notification, request } from "@sluice/session/builder";
import { memoryPair } from "@sluice/transport";
import { describe, expect, it } from "vitest";
import { Agent, Client, Conductor, mcpOverAcpPolyfill, Proxy, type ServeMcp } from "./index.ts";
import { echoServer, gate, INITIALIZE, onStage, seeingAgent, textOfTool } from "./mcp-stage.testing.ts";

interface Declared {
  readonly type: string;
  readonly name: string;
  readonly url: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
}

/** An HTTP server without sockets. */
class Played {
  readonly closed = gate<string | undefined>();
  served = 0;
  #options: Parameters<ServeMcp>[0] | undefined;

  readonly serve: ServeMcp = async (options) => {
    this.served++;
    this.#options = options;
    return { url: "http://127.0.0.1:4711/", close: async (reason) => this.closed.open(reason) };
  };

  authorize(url: string, authorization?: string): boolean {
    const headers = authorization === undefined ? {} : { authorization };
    return this.#options!.authorize(new Request(url, { headers }));
  }

  /** A session of a client that has been given this server. */
  async session({ url, headers }: Declared): Promise<Session> {
    const request = new Request(url, { headers: headers.map(({ name, value }) => [name, value]) });
    if (!this.#options!.authorize(request)) throw new Error("401");
    const [ours, theirs] = memoryPair({ unit: "messages" });
    this.#options!.onSession(theirs, request);
    const session = await connect(ours, { dialect: mcp });
    await session.call("initialize", INITIALIZE);
    return session;
  }
}

const http = {
  protocolVersion: 1,
  agentCapabilities: { loadSession: true, mcpCapabilities: { http: true, sse: false } },
};
const declared = (agent: ReturnType<typeof seeingAgent>): Declared[] =>
  agent.servers as unknown as Declared[];

describe("mcp_over_acp_polyfill", () => {
  it("an agent that takes HTTP gets a URL and a token, stable per server id; all else of the session stays", async () => {
    const played = new Played();
    const proxies = [
      Proxy.builder().withMcpServer(echoServer("a")).withMcpServer(echoServer("b")),
      mcpOverAcpPolyfill(played),
    ];
    await onStage(
      proxies,
      async ({ client, agent }) => {
        const own = { type: "http", name: "own", url: "https://x.example", headers: [] };
        const acp = { type: "acp", name: "mine", serverId: "mine", _meta: { kept: 1 } };
        const params = { cwd: "/", mcpServers: [own, acp], _other: 2 };
        await client.sendRequest(request("session/load"), params).result();
        const [first, second] = agent.setups.map((setup) => setup.params["mcpServers"] as Declared[]);
        expect(first).toEqual(
          ["a", "b"].map((name) => ({
            type: "http",
            name,
            url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:4711\/[0-9a-f-]{36}$/),
            headers: [{ name: "Authorization", value: expect.stringMatching(/^Bearer [0-9a-f]{64}$/) }],
          })),
        );
        expect(second!.slice(2)).toEqual(first);
        expect(second![0]).toEqual(own);
        expect(second![1]).toMatchObject({ type: "http", name: "mine", _meta: { kept: 1 } });
        expect(second![1]).not.toHaveProperty("serverId");
        expect(agent.setups[1]!.params).toMatchObject({ cwd: "/", _other: 2 });
        expect(new Set(second!.slice(1).map(({ url }) => url)).size).toBe(3);
        expect(new Set(second!.slice(1).map(({ headers }) => headers[0]!.value)).size).toBe(3);
        expect(played.served).toBe(1);
      },
      seeingAgent(http),
    );
    expect(await played.closed.passed).toBe("the ACP connection is over");
  });

  it("each token is for its own server, and nobody is served without", async () => {
    const played = new Played();
    const proxy = Proxy.builder().withMcpServer(echoServer("a")).withMcpServer(echoServer("b"));
    await onStage(
      [proxy, mcpOverAcpPolyfill(played)],
      async ({ agent }) => {
        const [a, b] = declared(agent) as [Declared, Declared];
        const tokenOf = ({ headers }: Declared): string => headers[0]!.value;
        expect(played.authorize(a.url, tokenOf(a))).toBe(true);
        expect(played.authorize(a.url, tokenOf(b))).toBe(false);
        expect(played.authorize(a.url)).toBe(false);
        expect(played.authorize(a.url, "")).toBe(false);
        expect(played.authorize(a.url, `${tokenOf(a)}0`)).toBe(false);
        expect(played.authorize(a.url, tokenOf(a).slice(0, -1))).toBe(false);
        expect(played.authorize("http://127.0.0.1:4711/", tokenOf(a))).toBe(false);
      },
      seeingAgent(http),
    );
  });

  it("what is said over HTTP goes over ACP, and back; the end of the session is told", async () => {
    const played = new Played();
    const [a, b] = [echoServer("a"), echoServer("b")];
    const left = gate();
    const watching = Proxy.builder().onReceiveRequestFrom(
      Agent,
      request("mcp/disconnect"),
      (_params, _responder) => {
        left.open();
        return { handled: false };
      },
    );
    const providing = Proxy.builder().withMcpServer(a).withMcpServer(b);
    await onStage(
      [providing, watching, mcpOverAcpPolyfill(played)],
      async ({ agent }) => {
        const sessions = await Promise.all(declared(agent).map((one) => played.session(one)));
        const [first, second] = sessions as [Session, Session];
        expect(await textOfTool(first, "echo", { text: 1 })).toBe("a: 1");
        expect(await textOfTool(second, "echo", { text: 2 })).toBe("b: 2");
        expect([a.clients, b.clients]).toEqual([1, 1]);
        await first.close();
        await left.passed;
        await textOfTool(second, "echo", { text: 3 });
        expect(b.clients).toBe(1);
      },
      seeingAgent(http),
    );
  });

  it("the client is told that servers over ACP are taken: of ACP's first version, and of its second", async () => {
    const initialize = async (agent: object): Promise<unknown> => {
      const played = new Played();
      const chain = Conductor.agent({
        proxies: [mcpOverAcpPolyfill(played)],
        agent: seeingAgent(agent).builder,
      });
      return Client.builder().connectWith(chain, (cx) =>
        cx.sendRequest(request("initialize"), { protocolVersion: 1 }).result(),
      );
    };
    expect(await initialize(http)).toEqual({
      protocolVersion: 1,
      agentCapabilities: { loadSession: true, mcpCapabilities: { http: true, sse: false, acp: true } },
    });
    const second = {
      protocolVersion: 2,
      info: {},
      capabilities: { session: { x: 1, mcp: { http: {} } }, y: 2 },
    };
    expect(await initialize(second)).toEqual({
      protocolVersion: 2,
      info: {},
      capabilities: { session: { x: 1, mcp: { http: {}, acp: {} } }, y: 2 },
    });
    for (const same of [
      { protocolVersion: 1 },
      { protocolVersion: 1, agentCapabilities: { mcpCapabilities: { sse: true } } },
      { protocolVersion: 1, agentCapabilities: { mcpCapabilities: { http: true, acp: true } } },
      { protocolVersion: 2, capabilities: { session: { mcp: { http: null } } } },
    ])
      expect(await initialize(same)).toEqual(same);
  });

  it("an agent that takes servers over ACP is left alone", async () => {
    const played = new Played();
    const native = { protocolVersion: 1, agentCapabilities: { mcpCapabilities: { http: true, acp: true } } };
    await onStage(
      [Proxy.builder().withMcpServer(echoServer()), mcpOverAcpPolyfill(played)],
      async ({ client, agent }) => {
        expect(agent.servers).toMatchObject([{ type: "acp", name: "echo" }]);
        expect(played.served).toBe(0);
        agent.cx.addDynamicHandler((dispatch) => {
          if (dispatch.kind === "request") dispatch.responder.respond("native");
          return undefined;
        });
        const params = { connectionId: "its own", method: "ping" };
        expect(await client.sendRequest(request<object>("mcp/message"), params).result()).toBe("native");
      },
      seeingAgent(native),
    );
  });

  it("where the agent takes neither, a session with such a server is refused, and others are not", async () => {
    const played = new Played();
    await onStage(
      [mcpOverAcpPolyfill(played)],
      async ({ client }) => {
        const acp = { type: "acp", name: "n", serverId: "s" };
        const refused = client.sendRequest(request("session/new"), { cwd: "/", mcpServers: [acp] }).result();
        await expect(refused).rejects.toMatchObject({
          code: -32602,
          message: "session setup: the agent takes MCP servers neither over ACP nor over HTTP",
        });
        await client.sendRequest(request("session/new"), { cwd: "/", mcpServers: [] }).result();
        expect(played.served).toBe(0);
      },
      seeingAgent(),
    );
  });

  it("a server without a name or a serverId is refused", async () => {
    await onStage(
      [mcpOverAcpPolyfill(new Played())],
      async ({ client }) => {
        for (const wrong of [
          { type: "acp", name: "n" },
          { type: "acp", serverId: "s" },
        ]) {
          const refused = client
            .sendRequest(request("session/new"), { cwd: "/", mcpServers: [wrong] })
            .result();
          await expect(refused).rejects.toMatchObject({ code: -32602 });
        }
      },
      seeingAgent(http),
    );
  });

  it("a request for an unknown connectionId is answered -32602, and a notification is ignored", async () => {
    await onStage(
      [mcpOverAcpPolyfill(new Played())],
      async ({ client }) => {
        const params = { connectionId: "none", method: "ping" };
        await client.sendNotification(notification<object>("mcp/message"), params);
        await expect(
          client.sendRequest(request<object>("mcp/message"), params).result(),
        ).rejects.toMatchObject({
          code: -32602,
        });
      },
      seeingAgent(http),
    );
  });

  it("a server that is gone ends the session over HTTP", async () => {
    const played = new Played();
    await onStage(
      [mcpOverAcpPolyfill(played)],
      async ({ client, agent }) => {
        await client
          .buildSession("/")
          .withMcpServer(echoServer())
          .runUntil(async () => {});
        await expect(played.session(declared(agent)[0]!)).rejects.toMatchObject({ _tag: "SessionError" });
      },
      seeingAgent(http),
    );
  });

  it("where nothing can listen the session fails, and the next one tries again", async () => {
    const played = new Played();
    let failures = 0;
    const serve: ServeMcp = async (options) => {
      if (failures++ === 0) throw new Error("EADDRINUSE");
      return played.serve(options);
    };
    await onStage(
      [mcpOverAcpPolyfill({ serve })],
      async ({ client, agent }) => {
        const params = { cwd: "/", mcpServers: [{ type: "acp", name: "n", serverId: "s" }] };
        const setup = (): Promise<unknown> => client.sendRequest(request("session/new"), params).result();
        await expect(setup()).rejects.toMatchObject({ code: -32603 });
        await setup();
        expect(declared(agent)).toMatchObject([{ type: "http" }]);
      },
      seeingAgent(http),
    );
  });
});
