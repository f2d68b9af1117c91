// The MCP SDK's client with the tools of a proxy: over ACP, in both revisions, and over the polyfill's HTTP.
import {
  Client as McpClient,
  StreamableHTTPClientTransport,
  type Transport,
} from "@modelcontextprotocol/client";
import { mcpOverAcp, mcpOverAcpPolyfill, Proxy, type Part } from "@sluice/acp";
import type { serve as Serve } from "@sluice/http";
import { describe, expect, it } from "vitest";
import { helperServer } from "../mcp/helper-server.ts";
import { sdkTransport } from "./mcp-sdk-transport.ts";
import { Heard, onStage, type Stage } from "./mcp-stage.ts";

const runtime = "Deno" in globalThis ? "deno" : "Bun" in globalThis ? "bun" : "node";
// The door of the runtime this runs on; the runner's own conditions are Node's everywhere.
const { serve } = (await import(`@sluice/http/${runtime}`)) as { readonly serve: typeof Serve };

const polyfill = (): Part => mcpOverAcpPolyfill({ serve });
const HTTP = { http: true };

/** A server of the agent's session, over HTTP. */
function httpTransport({ servers }: Stage): StreamableHTTPClientTransport {
  const { url, headers } = servers[0] as { url: string; headers: { name: string; value: string }[] };
  const all = Object.fromEntries(headers.map(({ name, value }) => [name, value]));
  return new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers: all } });
}

/** `both ways`: the server can call its client, and say what belongs to no request. */
const WAYS: readonly (readonly [
  name: string,
  ways: "both ways" | "one way",
  proxies: () => readonly Part[],
  mcp: object,
  transport: (stage: Stage) => Transport,
])[] = [
  [
    "over ACP, by connections",
    "both ways",
    () => [],
    { acp: true },
    ({ agent, serverId }) => sdkTransport(mcpOverAcp(agent, { serverId }, { revision: "connections" })),
  ],
  [
    "over ACP, by requests",
    "one way",
    () => [],
    { acp: true },
    ({ agent, serverId }) => sdkTransport(mcpOverAcp(agent, { serverId }, { revision: "requests" })),
  ],
  ["over the polyfill's HTTP", "both ways", () => [polyfill()], HTTP, httpTransport],
];

describe.each(WAYS)("the SDK's client %s", (_name, ways, proxies, mcp, transport) => {
  const using = (
    use: (client: McpClient, heard: Heard<unknown>, stage: Stage) => Promise<void>,
  ): Promise<void> =>
    onStage([Proxy.builder().withMcpServer(helperServer()), ...proxies()], mcp, async (stage) => {
      const client = new McpClient({ name: "tests", version: "1" }, { capabilities: { roots: {} } });
      const heard = new Heard<unknown>();
      client.setNotificationHandler("notifications/message", ({ params }) => heard.push(params.data));
      client.setNotificationHandler("notifications/tools/list_changed", () => heard.push("tools"));
      client.setNotificationHandler("notifications/resources/updated", ({ params }) =>
        heard.push(params.uri),
      );
      client.setRequestHandler("roots/list", () => ({ roots: [{ uri: "file:///work" }] }));
      await client.connect(transport(stage));
      try {
        await use(client, heard, stage);
      } finally {
        await client.close();
      }
    });

  it("learns what the server is, and calls its tools", async () => {
    await using(async (client) => {
      expect(client.getServerVersion()).toEqual({ name: "helper", version: "3", title: "Helper" });
      expect(client.getInstructions()).toBe("add, and be glad");
      const { tools } = await client.listTools();
      expect(tools.map(({ name }) => name).slice(0, 3)).toEqual(["add", "shout", "fail"]);
      expect(await client.callTool({ name: "add", arguments: { a: 1 } })).toMatchObject({
        structuredContent: { sum: 2 },
        content: [{ type: "text", text: '{"sum":2}' }],
      });
      expect(await client.callTool({ name: "fail" })).toMatchObject({
        isError: true,
        content: [{ type: "text", text: "out of paper" }],
      });
      await expect(client.callTool({ name: "none" })).rejects.toMatchObject({ code: -32602 });
      expect(await client.readResource({ uri: "mem:bytes" })).toMatchObject({
        contents: [{ uri: "mem:bytes", blob: "AQL/" }],
      });
      await expect(client.readResource({ uri: "mem:none" })).rejects.toMatchObject({ code: -32002 });
      await client.ping();
    });
  });

  it("hears of progress, in order and before the answer", async () => {
    await using(async (client) => {
      const steps: unknown[] = [];
      await client.callTool({ name: "steps" }, { onprogress: (progress) => void steps.push(progress) });
      expect(steps).toEqual([1, 2, 3].map((n) => ({ progress: n, total: 3, message: `step ${n}` })));
    });
  });

  it("cancels a tool, which stops", async () => {
    await using(async (client, heard) => {
      const abort = new AbortController();
      const called = client.callTool({ name: "wait" }, { signal: abort.signal });
      await heard.until(() => heard.all.includes("waiting"));
      abort.abort(new Error("enough"));
      await expect(called).rejects.toThrow("enough");
      let stopped: unknown;
      // The cancel is a notification: nobody says when it has been heard.
      do stopped = (await client.callTool({ name: "stopped" })).content[0];
      while ((stopped as { text: string }).text === "0");
      expect(stopped).toMatchObject({ text: "1" });
    });
  });

  if (ways === "one way") return;
  it("answers what a tool asks, and hears what changes", async () => {
    await using(async (client, heard) => {
      expect(await client.callTool({ name: "ask" })).toMatchObject({
        content: [{ text: "tests file:///work" }],
      });
      await client.subscribeResource({ uri: "mem:text" });
      await client.callTool({ name: "grow" });
      await heard.until(() => heard.all.length === 2);
      expect(new Set(heard.all)).toEqual(new Set(["mem:text", "tools"]));
      expect((await client.listTools()).tools.map(({ name }) => name)).toContain("grown");
    });
  });
});

describe("the polyfill's HTTP", () => {
  it("answers nobody without the token of that server", async () => {
    const proxy = Proxy.builder()
      .withMcpServer(helperServer())
      .withMcpServer(helperServer(), { name: "second" });
    await onStage([proxy, polyfill()], HTTP, async ({ servers }) => {
      const [first, second] = servers as { url: string; headers: { name: string; value: string }[] }[];
      const post = async (url: string, authorization?: string): Promise<number> => {
        const response = await fetch(url, {
          method: "POST",
          headers: {
            "Content-Type": "application/json",
            Accept: "application/json, text/event-stream",
            ...(authorization !== undefined && { Authorization: authorization }),
          },
          body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" }),
        });
        await response.body?.cancel();
        return response.status;
      };
      const token = first!.headers[0]!.value;
      expect(await post(first!.url)).toBe(401);
      expect(await post(first!.url, second!.headers[0]!.value)).toBe(401);
      expect(await post(new URL("/other", first!.url).href, token)).toBe(401);
      expect(await post(first!.url, token)).toBe(200);
    });
  });

  it("is the same for two clients at a time, each a connection of its own; its end is the server's to know", async () => {
    const server = helperServer();
    const proxy = Proxy.builder().withMcpServer(server);
    await onStage([proxy, polyfill()], HTTP, async (stage) => {
      const clients = await Promise.all(
        ["one", "two"].map(async (name) => {
          const client = new McpClient({ name, version: "1" }, { capabilities: { roots: {} } });
          client.setRequestHandler("roots/list", () => ({ roots: [{ uri: `file:///${name}` }] }));
          const transport = httpTransport(stage);
          await client.connect(transport);
          return { client, transport };
        }),
      );
      expect(server.clients).toBe(2);
      const said = await Promise.all(clients.map(({ client }) => client.callTool({ name: "ask" })));
      expect(said).toMatchObject([
        { content: [{ text: "one file:///one" }] },
        { content: [{ text: "two file:///two" }] },
      ]);
      const [first, second] = clients;
      await first!.transport.terminateSession();
      await first!.client.close();
      // The end of the one is told before what the other asks then; not always heard before it.
      do await second!.client.ping();
      while (server.clients === 2);
      expect(server.clients).toBe(1);
      await second!.client.close();
    });
    expect(server.clients).toBe(0);
  });

  it("is gone with the ACP connection", async () => {
    const proxy = Proxy.builder().withMcpServer(helperServer());
    const url = await onStage([proxy, polyfill()], HTTP, async ({ servers }) => String(servers[0]!["url"]));
    // Its port is freed a moment after the connection.
    const answers = (): Promise<boolean> =>
      fetch(url).then(
        async (response) => {
          await response.body?.cancel();
          return true;
        },
        () => false,
      );
    while (await answers());
    expect(await answers()).toBe(false);
  });
});
