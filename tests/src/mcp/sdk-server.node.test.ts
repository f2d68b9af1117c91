// A client of ours with the MCP SDK's server, over sockets.
import { McpServer, WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/server";
import type { dial as Dial } from "@sluice/http";
import { assertNoLeaks, connect, mcp, type Session } from "@sluice/session";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { proxy, type Proxy } from "./proxy.ts";
import { countingStore } from "./sdk-events.ts";
import { webServer } from "./web-server.ts";

const runtime = "Deno" in globalThis ? "deno" : "Bun" in globalThis ? "bun" : "node";
const { dial } = (await import(`@sluice/http/${runtime}`)) as { readonly dial: typeof Dial };

interface Stage {
  readonly session: Session;
  readonly server: McpServer;
  readonly transport: WebStandardStreamableHTTPServerTransport;
  readonly proxy: Proxy;
  /** Notifications that came, in order: the data of log messages, the progress of progress. */
  readonly heard: unknown[];
  until(condition: () => boolean): Promise<void>;
  /** Resolves when the tool `slow` has been called; the function lets it answer. */
  readonly slow: Promise<() => void>;
}

const leftovers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of leftovers.splice(0).reverse()) await close();
});

async function stage(answers: "stream" | "json" = "stream"): Promise<Stage> {
  const server = new McpServer({ name: "sdk", version: "1" }, { capabilities: { logging: {} } });
  const text = (content: string): { content: { type: "text"; text: string }[] } => ({
    content: [{ type: "text", text: content }],
  });
  server.registerTool("echo", { inputSchema: z.object({ x: z.string() }) }, ({ x }) => text(x));
  let called: (answer: () => void) => void = () => {};
  const slow = new Promise<() => void>((resolve) => (called = resolve));
  server.registerTool("slow", {}, async () => {
    await new Promise<void>((answer) => called(answer));
    return text("at last");
  });
  server.registerTool("steps", {}, async (context) => {
    const progressToken = context.mcpReq["_meta"]?.progressToken;
    for (let progress = 1; progress <= 3; progress++)
      await context.mcpReq.notify({
        method: "notifications/progress",
        params: { progressToken: progressToken!, progress },
      });
    return text("done");
  });
  const transport = new WebStandardStreamableHTTPServerTransport({
    sessionIdGenerator: () => crypto.randomUUID(),
    eventStore: countingStore(),
    retryInterval: 1,
    enableJsonResponse: answers === "json",
  });
  await server.connect(transport);
  const web = await webServer((request) => transport.handleRequest(request));
  const between = await proxy(web.port);

  const heard: unknown[] = [];
  let waiting: { readonly until: () => boolean; readonly resolve: () => void }[] = [];
  const look = (): void => {
    waiting = waiting.filter(({ until, resolve }) => (until() ? resolve() : true));
  };
  const hear = (what: unknown): void => {
    heard.push(what);
    look();
  };
  const session = await connect(
    dial(`http://127.0.0.1:${between.port}/mcp`, { limits: { backoff: [1, 10], retries: 50 } }),
    {
      dialect: mcp,
      handlers: { ping: () => ({}) },
      notifications: {
        "notifications/message": ({ data }: { data: unknown }) => hear(data),
        "notifications/progress": ({ progress }: { progress: number }) => hear(progress),
      },
    },
  );
  leftovers.push(
    () => web.close(),
    () => between.close(),
    () => session.close(),
  );
  const greeted = await session.call("initialize", {
    protocolVersion: "2025-11-25",
    capabilities: {},
    clientInfo: { name: "sluice", version: "1" },
  });
  expect(greeted).toMatchObject({ protocolVersion: "2025-11-25", serverInfo: { name: "sdk" } });
  await session.notify("notifications/initialized");
  const until = (condition: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      waiting.push({ until: condition, resolve });
      look();
    });
  return { session, server, transport, proxy: between, heard, until, slow };
}

/** Has the server speak until it is heard: what it says before the GET has come is lost, as the SDK has it. */
async function listening({ server, session, heard }: Stage): Promise<void> {
  while (heard.length === 0) {
    await log(server, -1);
    await session.call("ping");
  }
}

const log = (server: McpServer, data: unknown): Promise<void> =>
  server.sendLoggingMessage({ level: "info", data });

describe.each(["stream", "json"] as const)("the SDK's server, answering by %s", (answers) => {
  it("is initialized, lists its tools, is called and pinged", async () => {
    const { session, transport } = await stage(answers);
    expect(transport.sessionId).toBeDefined();
    const { tools } = await session.call<{ tools: { name: string }[] }>("tools/list");
    expect(tools.map(({ name }) => name)).toEqual(["echo", "slow", "steps"]);
    const echo = (x: string): Promise<unknown> =>
      session.call("tools/call", { name: "echo", arguments: { x } });
    expect(await echo("ä€😀\n")).toMatchObject({ content: [{ text: "ä€😀\n" }] });
    const many = await Promise.all(Array.from({ length: 30 }, (_, n) => echo(String(n))));
    expect(many).toMatchObject(Array.from({ length: 30 }, (_, n) => ({ content: [{ text: String(n) }] })));
    expect(await session.call("ping")).toEqual({});
    await expect(session.call("nothing")).rejects.toMatchObject({ code: -32601 });
    assertNoLeaks(session);
  });

  it("is heard when it sends on its own, and is answered", async () => {
    const made = await stage(answers);
    const { server, heard, until } = made;
    await listening(made);
    await log(server, "last");
    await until(() => heard.at(-1) === "last");
    expect(new Set(heard)).toEqual(new Set([-1, "last"]));
    expect(await server.server.ping()).toEqual({});
  });

  it("hears the end of the session", async () => {
    const { session, server } = await stage(answers);
    expect(server.isConnected()).toBe(true);
    await session.close("done");
    expect((await session.closed).code).toBe("closed");
    expect(server.isConnected()).toBe(false);
  });
});

it("the SDK's server reports progress on the stream of the call, before its answer", async () => {
  const { session, heard } = await stage();
  await session.call("tools/call", { name: "steps", arguments: {}, _meta: { progressToken: 7 } });
  expect(heard).toEqual([1, 2, 3]);
});

it("a call that was cancelled is over here, though the SDK's server does not answer it", async () => {
  const { session, slow } = await stage();
  const abort = new AbortController();
  const called = session.call("tools/call", { name: "slow" }, { signal: abort.signal });
  const answer = await slow;
  abort.abort();
  await expect(called).rejects.toMatchObject({ _tag: "CancelledError" });
  expect(await session.call("ping")).toEqual({});
  answer();
  assertNoLeaks(session);
});

describe("the SDK's server behind connections that break", () => {
  it("loses no notification, and gives none twice", async () => {
    const made = await stage();
    const { server, heard, until, proxy: between } = made;
    await listening(made);
    for (let n = 0; n < 200; n++) {
      await log(server, n);
      if (n % 20 === 0) between.cut();
      if (n % 50 === 0) await until(() => heard.at(-1) === n);
    }
    await until(() => heard.at(-1) === 199);
    expect(heard.filter((n) => n !== -1)).toEqual(Array.from({ length: 200 }, (_, n) => n));
    expect(between.cuts).toBeGreaterThan(2);
  });

  it("gives the answer of a call whose response was cut", async () => {
    const made = await stage();
    const { session, slow, proxy: between } = made;
    await listening(made);
    const called = session.call("tools/call", { name: "slow" });
    const answer = await slow;
    // The response of the call has begun when the one after it was answered.
    await session.call("ping");
    between.cut();
    answer();
    expect(await called).toMatchObject({ content: [{ text: "at last" }] });
  });
});
