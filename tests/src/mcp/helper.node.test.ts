// The SDK's client with a server made by `mcpServer`: over stdio, and over HTTP by the SDK's transport and by ours.
import { fileURLToPath } from "node:url";
import {
  Client,
  StreamableHTTPClientTransport,
  type ClientOptions,
  type Transport,
} from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { localClient } from "@sluice/exec/local";
import type { serve as Serve } from "@sluice/http";
import { StreamableHttp } from "@sluice/mcp";
import { serve as serveSession } from "@sluice/session";
import { afterEach, describe, expect, it } from "vitest";
import { helperServer } from "./helper-server.ts";

const runtime = "Deno" in globalThis ? "deno" : "Bun" in globalThis ? "bun" : "node";
// The door of the runtime this runs on; the runner's own conditions are Node's everywhere.
const { serve } = (await import(`@sluice/http/${runtime}`)) as { readonly serve: typeof Serve };

const leftovers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of leftovers.splice(0).reverse()) await close();
});

async function listening(): Promise<URL> {
  const server = await serve({
    path: "/mcp",
    limits: { grace: 50 },
    onSession: (transport) => void serveSession(transport, helperServer().options),
  });
  leftovers.push(() => server.close());
  return new URL(server.url);
}

const MEDIA: readonly (readonly [string, () => Promise<Transport>])[] = [
  [
    "stdio",
    async () => {
      const program = fileURLToPath(new URL("fixtures/helper-stdio.ts", import.meta.url));
      const args = runtime === "deno" ? ["run", "-A", program] : [program];
      return new StdioClientTransport({ command: process.execPath, args });
    },
  ],
  ["HTTP by the SDK", async () => new StreamableHTTPClientTransport(await listening())],
  [
    "HTTP by ours",
    async () => {
      const client = localClient();
      leftovers.push(async () => client[Symbol.dispose]());
      return new StreamableHttp(await listening(), { client });
    },
  ],
];

describe.each(MEDIA)("the SDK's client over %s", (_, medium) => {
  interface Stage {
    readonly client: Client;
    readonly heard: unknown[];
    until(condition: () => boolean): Promise<void>;
  }

  async function stage(options: ClientOptions = {}): Promise<Stage> {
    const client = new Client({ name: "tests", version: "1" }, { capabilities: { roots: {} }, ...options });
    const heard: unknown[] = [];
    let waiting: { readonly until: () => boolean; readonly resolve: () => void }[] = [];
    const look = (): void => {
      waiting = waiting.filter(({ until, resolve }) => (until() ? resolve() : true));
    };
    const hear = (what: unknown): void => {
      heard.push(what);
      look();
    };
    client.setNotificationHandler("notifications/message", ({ params }) => hear(params.data));
    client.setNotificationHandler("notifications/tools/list_changed", () => hear("tools"));
    client.setNotificationHandler("notifications/resources/updated", ({ params }) => hear(params.uri));
    client.setRequestHandler("roots/list", () => ({ roots: [{ uri: "file:///work" }] }));
    leftovers.push(() => client.close());
    await client.connect(await medium());
    const until = (condition: () => boolean): Promise<void> =>
      new Promise((resolve) => {
        waiting.push({ until: condition, resolve });
        look();
      });
    return { client, heard, until };
  }

  it("learns what the server is, and lists its tools over pages", async () => {
    const { client } = await stage();
    expect(client.getServerVersion()).toEqual({ name: "helper", version: "3", title: "Helper" });
    expect(client.getInstructions()).toBe("add, and be glad");
    expect(client.getNegotiatedProtocolVersion()).toBe("2025-11-25");
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual([
      "add",
      "shout",
      "fail",
      "steps",
      "wait",
      "stopped",
      "grow",
      "ask",
    ]);
    expect(tools[0]).toMatchObject({
      title: "Add",
      description: "adds two numbers",
      annotations: { readOnlyHint: true },
      inputSchema: { type: "object", properties: { a: { type: "number" } }, required: ["a"] },
      outputSchema: { type: "object", properties: { sum: { type: "number" } } },
    });
    await client.ping();
  });

  it("calls tools, whose arguments and results are checked", async () => {
    const { client } = await stage();
    await client.listTools();
    expect(await client.callTool({ name: "add", arguments: { a: 1 } })).toMatchObject({
      structuredContent: { sum: 2 },
      content: [{ type: "text", text: '{"sum":2}' }],
    });
    expect(await client.callTool({ name: "shout", arguments: { text: "ä" } })).toMatchObject({
      content: [{ type: "text", text: "Ä" }],
    });
    expect(await client.callTool({ name: "shout", arguments: { text: 1 } })).toMatchObject({ isError: true });
    expect(await client.callTool({ name: "fail" })).toMatchObject({
      isError: true,
      content: [{ type: "text", text: "out of paper" }],
    });
    await expect(client.callTool({ name: "none" })).rejects.toMatchObject({ code: -32602 });
  });

  it("hears of progress, and answers what a tool asks", async () => {
    const { client } = await stage();
    const steps: unknown[] = [];
    await client.callTool({ name: "steps" }, { onprogress: (progress) => void steps.push(progress) });
    expect(steps).toEqual([1, 2, 3].map((n) => ({ progress: n, total: 3, message: `step ${n}` })));
    expect(await client.callTool({ name: "ask" })).toMatchObject({
      content: [{ text: "tests file:///work" }],
    });
  });

  it("cancels a tool, which stops", async () => {
    const { client, heard, until } = await stage();
    const abort = new AbortController();
    const called = client.callTool({ name: "wait" }, { signal: abort.signal });
    await until(() => heard.includes("waiting"));
    abort.abort(new Error("enough"));
    await expect(called).rejects.toThrow("enough");
    let stopped: unknown;
    // The cancel is a notification: nobody says when it has been heard.
    do stopped = (await client.callTool({ name: "stopped" })).content[0];
    while ((stopped as { text: string }).text === "0");
    expect(stopped).toMatchObject({ text: "1" });
  });

  it("hears what the server logs from its level on, and what changes", async () => {
    const { client, heard, until } = await stage();
    await client.setLoggingLevel("error");
    await client.subscribeResource({ uri: "mem:text" });
    await client.callTool({ name: "grow" });
    await until(() => heard.length === 2);
    expect(new Set(heard)).toEqual(new Set(["mem:text", "tools"]));
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain("grown");
  });

  it("reads resources and gets prompts", async () => {
    const { client } = await stage();
    const { resources } = await client.listResources();
    expect(resources.map(({ uri }) => uri)).toEqual(["mem:text", "mem:bytes", "mem:third"]);
    expect(await client.readResource({ uri: "mem:bytes" })).toMatchObject({
      contents: [{ uri: "mem:bytes", blob: "AQL/" }],
    });
    await expect(client.readResource({ uri: "mem:none" })).rejects.toMatchObject({ code: -32002 });
    expect((await client.listPrompts()).prompts).toMatchObject([
      { name: "greet", arguments: [{ name: "who", required: true }] },
    ]);
    expect(await client.getPrompt({ name: "greet", arguments: { who: "Ada" } })).toMatchObject({
      messages: [{ role: "user", content: { type: "text", text: "hello Ada" } }],
    });
    await expect(client.getPrompt({ name: "greet" })).rejects.toMatchObject({ code: -32602 });
  });

  it("that asks for later versions first gets ours", async () => {
    const { client } = await stage({ versionNegotiation: { mode: "auto" } });
    expect(client.getNegotiatedProtocolVersion()).toBe("2025-11-25");
    await client.ping();
  });
});
