// The ACP SDK 2.4 at the other end: its agent with our servers, our agent with its servers, and the MCP SDK's server as one of
// ours. It speaks the revision of requests, and MCP 2026-07-28.
import {
  agent as sdkAgent,
  client as sdkClient,
  McpOverAcpCaller,
  McpOverAcpProvider,
  McpProtocolError,
  methods,
  ndJsonStream,
  PROTOCOL_VERSION,
  type McpNotification,
  type McpOutcome,
} from "@agentclientprotocol/sdk/unstable";
import { fromMcpServer } from "@agentclientprotocol/sdk/experimental/mcp-server";
import { Client as McpClient, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { McpServer as SdkMcpServer } from "@modelcontextprotocol/server";
import { Agent, Client, Conductor, mcpOverAcp, mcpOverAcpPolyfill, Proxy, type Part } from "@sluice/acp";
import type { serve as Serve } from "@sluice/http";
import { connect, mcp } from "@sluice/session";
import { request, type Component, type ConnectionTo } from "@sluice/session/builder";
import { fromWebStreams, type Chunk, type Transport } from "@sluice/transport";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { helperServer } from "../mcp/helper-server.ts";
import { sdkTransport } from "./mcp-sdk-transport.ts";
import { Heard, onStage } from "./mcp-stage.ts";

const runtime = "Deno" in globalThis ? "deno" : "Bun" in globalThis ? "bun" : "node";
// The door of the runtime this runs on; the runner's own conditions are Node's everywhere.
const { serve } = (await import(`@sluice/http/${runtime}`)) as { readonly serve: typeof Serve };

/** Two ends of a pair of byte streams: ours, and the SDK's. `end`: the SDK, which leaves that open, says no more. */
function streams(): {
  readonly ours: Transport;
  readonly theirs: ReturnType<typeof ndJsonStream>;
  readonly end: () => void;
} {
  const [there, back] = [new TransformStream<Chunk, Chunk>(), new TransformStream<Chunk, Chunk>()];
  const writer = back.writable.getWriter();
  const output = new WritableStream<Uint8Array>({ write: (chunk) => writer.write(chunk) });
  return {
    ours: fromWebStreams({ readable: back.readable, writable: there.writable }),
    theirs: ndJsonStream(output, there.readable as ReadableStream<Uint8Array>),
    end: () => void writer.close().catch(() => {}),
  };
}

describe("the SDK's agent with our servers", () => {
  type Ask = (
    method: string,
    params?: Record<string, unknown>,
    options?: { signal?: AbortSignal; onNotification?: (notification: McpNotification) => void },
  ) => Promise<McpOutcome>;

  /** Runs `use` in a prompt of the agent's, with a way to ask the first server it was given. */
  async function asking(
    proxies: readonly Part[],
    use: (ask: Ask) => Promise<void>,
    session?: "own",
  ): Promise<void> {
    const { ours, theirs, end } = streams();
    const caller = new McpOverAcpCaller({ clientInfo: { name: "sdk-agent", version: "1" } });
    let serverId = "";
    let outcome: readonly PromiseSettledResult<void>[] = [];
    const app = sdkAgent({ name: "sdk" })
      .onRequest(methods.agent.initialize, () => ({
        protocolVersion: PROTOCOL_VERSION,
        agentCapabilities: {},
      }))
      .onRequest(methods.agent.session.new, ({ params }) => {
        ({ serverId } = params.mcpServers[0] as unknown as { serverId: string });
        return { sessionId: "s" };
      })
      .onNotification(methods.agent.mcp.message, caller.handleNotification)
      .onRequest(methods.agent.session.prompt, async ({ client }) => {
        outcome = await Promise.allSettled([
          use((method, params, options) => caller.request(client, serverId, method, params, options)),
        ]);
        return { stopReason: "end_turn" as const };
      });
    void app.connect(theirs).closed.then(end);
    await Client.builder().connectWith(Conductor.agent({ proxies, agent: ours }), async (cx) => {
      await cx.sendRequest(request("initialize"), { protocolVersion: 1, clientCapabilities: {} }).result();
      const builder = cx.buildSession("/");
      if (session === "own") builder.withMcpServer(helperServer());
      await builder.runUntil(async (running) => {
        expect(await running.prompt("go").result()).toEqual({ stopReason: "end_turn" });
        for (const one of outcome) if (one.status === "rejected") throw one.reason;
        expect(outcome).toHaveLength(1);
      });
    });
  }

  it.each(["a proxy's", "a session's"] as const)("calls tools: %s", async (whose) => {
    const proxies = whose === "a proxy's" ? [Proxy.builder().withMcpServer(helperServer())] : [];
    await asking(
      proxies,
      async (ask) => {
        expect(await ask("server/discover")).toMatchObject({
          result: {
            resultType: "complete",
            supportedVersions: ["2026-07-28"],
            instructions: "add, and be glad",
          },
        });
        expect(await ask("tools/list")).toMatchObject({
          result: { tools: [{ name: "add" }, {}], nextCursor: "2" },
        });
        expect(await ask("tools/call", { name: "add", arguments: { a: 2, b: 3 } })).toMatchObject({
          result: { resultType: "complete", structuredContent: { sum: 5 } },
        });
        expect(await ask("tools/call", { name: "none" })).toMatchObject({ error: { code: -32602 } });
      },
      whose === "a session's" ? "own" : undefined,
    );
  });

  it("hears progress of its request, and cancels it", async () => {
    const heard = new Heard<unknown>();
    // The SDK does not run what comes in one chunk in order: a notification just before the answer would be lost to it.
    const server = helperServer(() => heard.until(() => heard.all.length === 3));
    await asking([Proxy.builder().withMcpServer(server)], async (ask) => {
      await ask(
        "tools/call",
        { name: "steps", _meta: { progressToken: "p" } },
        { onNotification: ({ method, params }) => heard.push([method, params?.["progress"]]) },
      );
      expect(heard.all).toEqual([1, 2, 3].map((n) => ["notifications/progress", n]));
      const abort = new AbortController();
      const called = ask(
        "tools/call",
        { name: "wait" },
        { signal: abort.signal, onNotification: () => abort.abort() },
      );
      await expect(called).rejects.toMatchObject({ code: -32800 });
      expect(await ask("tools/call", { name: "stopped" })).toMatchObject({
        result: { content: [{ text: "1" }] },
      });
    });
  });
});

describe("our agent with the SDK's servers", () => {
  interface Declared {
    readonly serverId: string;
    readonly url: string;
    readonly headers: readonly { readonly name: string; readonly value: string }[];
  }

  /** Runs `use` in our agent, with the server that the SDK's client provides. */
  async function using(
    handler: ReturnType<typeof fromMcpServer>["handler"],
    use: (declaration: Declared, cx: ConnectionTo) => Promise<void>,
    proxies: readonly Part[] = [],
  ): Promise<void> {
    const { ours, theirs, end } = streams();
    const provider = new McpOverAcpProvider();
    const agent = Agent.builder()
      .onReceiveRequest(request("initialize"), (_, responder) =>
        responder.respond({ protocolVersion: 1, agentCapabilities: { mcpCapabilities: { http: true } } }),
      )
      .onReceiveRequest(
        request<{ mcpServers: [Declared] }>("session/new"),
        async ({ mcpServers: [declaration] }, responder, cx) => {
          await use(declaration, cx);
          responder.respond({ sessionId: "s" });
        },
      );
    const running = Conductor.agent({ proxies, agent }).connectTo(ours);
    const app = sdkClient({ name: "sdk" }).onRequest(methods.client.mcp.message, provider.handleRequest);
    const connection = app.connect(theirs);
    const { declaration } = provider.registerServer(connection.agent, { name: "tools", handler });
    const context = connection.agent;
    await context.request(methods.agent.initialize, {
      protocolVersion: PROTOCOL_VERSION,
      clientCapabilities: {},
    });
    await context.request(methods.agent.session.new, { cwd: "/", mcpServers: [declaration] });
    void connection.closed.then(end);
    connection.close();
    await running.catch(() => {}); // it has closed both ways at once
  }

  it.each([
    ["2026-07-28", { mode: "auto" }],
    ["2025-11-25", undefined],
  ] as const)(
    "calls tools by the MCP SDK's client, with progress (%s)",
    async (version, versionNegotiation) => {
      const tools = fromMcpServer(() => {
        const server = new SdkMcpServer({ name: "sdk-tools", version: "1" });
        server.registerTool("echo", { inputSchema: z.object({ text: z.string() }) }, ({ text }) => ({
          content: [{ type: "text", text: `echo ${text}` }],
        }));
        server.registerTool("steps", {}, async ({ mcpReq }) => {
          const progressToken = mcpReq["_meta"]?.progressToken;
          for (let progress = 1; progress <= 3; progress++)
            await mcpReq.notify({
              method: "notifications/progress",
              params: { progressToken: progressToken!, progress },
            });
          return { content: [{ type: "text", text: "done" }] };
        });
        return server;
      });
      await using(tools.handler, async (declaration, cx) => {
        const client = new McpClient(
          { name: "ours", version: "1" },
          versionNegotiation === undefined ? {} : { versionNegotiation },
        );
        await client.connect(sdkTransport(mcpOverAcp(cx, declaration)));
        expect(client.getNegotiatedProtocolVersion()).toBe(version);
        expect(client.getServerVersion()).toMatchObject({ name: "sdk-tools" });
        expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(["echo", "steps"]);
        expect(await client.callTool({ name: "echo", arguments: { text: "hi" } })).toMatchObject({
          content: [{ text: "echo hi" }],
        });
        const steps: number[] = [];
        await client.callTool({ name: "steps" }, { onprogress: ({ progress }) => void steps.push(progress) });
        expect(steps).toEqual([1, 2, 3]);
        await client.close();
      });
      await tools.close();
    },
  );

  it("calls a tool through the polyfill, by an MCP client that knows conversations alone", async () => {
    const tools = fromMcpServer(() => {
      const server = new SdkMcpServer({ name: "sdk-tools", version: "1" });
      server.registerTool("where", {}, () => ({ content: [{ type: "text", text: "at the client" }] }));
      return server;
    });
    await using(
      tools.handler,
      async ({ url, headers }) => {
        const client = new McpClient({ name: "http", version: "1" });
        const all = Object.fromEntries(headers.map(({ name, value }) => [name, value]));
        await client.connect(
          new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers: all } }),
        );
        expect(await client.callTool({ name: "where" })).toMatchObject({
          content: [{ text: "at the client" }],
        });
        await client.close();
      },
      [mcpOverAcpPolyfill({ serve })],
    );
    await tools.close();
  });

  it("cancels, and tells the errors of the server from those of the binding", async () => {
    let cancelled = (): void => {};
    const stopped = new Promise<void>((resolve) => (cancelled = resolve));
    const meta = {
      "io.modelcontextprotocol/protocolVersion": "2026-07-28",
      "io.modelcontextprotocol/clientCapabilities": {},
    };
    await using(
      async ({ method, signal, notify }) => {
        if (method === "inner") throw new McpProtocolError(5, "inner", { a: 1 });
        if (method === "outer") throw new Error("broken");
        await notify("notifications/begun");
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
        cancelled();
        throw signal.reason;
      },
      async (declaration, cx) => {
        let begun = (): void => {};
        const running = new Promise<void>((resolve) => (begun = resolve));
        const session = await connect(mcpOverAcp(cx, declaration), {
          dialect: mcp,
          notifications: { "notifications/begun": () => begun() },
        });
        await expect(session.call("inner", { _meta: meta })).rejects.toMatchObject({
          code: 5,
          data: { a: 1 },
        });
        await expect(session.call("outer", { _meta: meta })).rejects.toMatchObject({ code: -33002 });
        const abort = new AbortController();
        const waiting = session.call("wait", { _meta: meta }, { signal: abort.signal });
        await running;
        abort.abort();
        await expect(waiting).rejects.toMatchObject({ _tag: "CancelledError" });
        await stopped;
        await session.close();
      },
    );
  });
});

describe("the MCP SDK's server as one of a proxy's", () => {
  it.each(["connections", "requests"] as const)("answers our agent (%s)", async (revision) => {
    const connectServer = (): Component => ({
      async connectTo(transport) {
        const server = new SdkMcpServer({ name: "sdk", version: "1" });
        server.registerTool("where", {}, () => ({ content: [{ type: "text", text: "here" }] }));
        const over = new Promise<void>((onclose) => Object.assign(server.server, { onclose }));
        await server.connect(sdkTransport(transport));
        await over;
      },
    });
    const proxy = Proxy.builder().withMcpServer(connectServer, { name: "sdk" });
    await onStage([proxy], { acp: true }, async ({ agent, serverId }) => {
      const client = new McpClient({ name: "tests", version: "1" });
      await client.connect(sdkTransport(mcpOverAcp(agent, { serverId }, { revision })));
      expect(await client.callTool({ name: "where" })).toMatchObject({ content: [{ text: "here" }] });
      await client.close();
    });
  });
});
