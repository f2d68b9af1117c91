// The SDK's client by our transport, with servers that keep what they sent, behind connections that break, and with
// sessions that end without it. The servers: ours, and the SDK's.
import { Client } from "@modelcontextprotocol/client";
import { McpServer, WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/server";
import type { serve as Serve } from "@sluice/http";
import { mcpServer, StreamableHttp, tool } from "@sluice/mcp";
import { serve as serveSession } from "@sluice/session";
import { afterEach, describe, expect, it } from "vitest";
import { proxy, type Proxy } from "./proxy.ts";
import { remote } from "./remote.ts";
import { countingStore } from "./sdk-events.ts";
import { webServer } from "./web-server.ts";

const runtime = "Deno" in globalThis ? "deno" : "Bun" in globalThis ? "bun" : "node";
// The door of the runtime this runs on; the runner's own conditions are Node's everywhere.
const { serve } = (await import(`@sluice/http/${runtime}`)) as { readonly serve: typeof Serve };

const leftovers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of leftovers.splice(0).reverse()) await close();
});

/** A server whose tool `slow` waits for the test, and what the test does to it. */
interface Far {
  readonly port: number;
  /** Resolves when `slow` has been called; the function lets it answer. */
  slow(): Promise<() => void>;
  log(data: unknown): Promise<void>;
}

class Gate {
  #called: (go: () => void) => void = () => {};
  #waiting = new Promise<() => void>((resolve) => (this.#called = resolve));

  /** In the tool. */
  pass(): Promise<void> {
    return new Promise((resolve) => this.#called(resolve));
  }

  /** In the test. */
  async called(): Promise<() => void> {
    const go = await this.#waiting;
    this.#waiting = new Promise((resolve) => (this.#called = resolve));
    return go;
  }
}

async function ours(): Promise<Far> {
  const gate = new Gate();
  const helper = mcpServer({
    name: "ours",
    version: "1",
    tools: {
      slow: tool({
        async run() {
          await gate.pass();
          return "at last";
        },
      }),
    },
  });
  const server = await serve({
    limits: { retry: 1, grace: 50 },
    onSession: (transport) => void serveSession(transport, helper.options),
  });
  leftovers.push(() => server.close());
  return { port: server.port, slow: () => gate.called(), log: async (data) => helper.log("info", data) };
}

async function theirs(): Promise<Far> {
  const gate = new Gate();
  interface Open {
    readonly server: McpServer;
    readonly transport: WebStandardStreamableHTTPServerTransport;
    /** What is sent before the first GET reaches nobody. */
    readonly heard: PromiseWithResolvers<void>;
  }
  const sessions = new Map<string, Open>();
  const open = async (): Promise<Open> => {
    const server = new McpServer({ name: "sdk", version: "1" }, { capabilities: { logging: {} } });
    server.registerTool("slow", {}, async () => {
      await gate.pass();
      return { content: [{ type: "text", text: "at last" }] };
    });
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => crypto.randomUUID(),
      eventStore: countingStore(),
      retryInterval: 1,
      onsessioninitialized: (id) => void sessions.set(id, opened),
      onsessionclosed: (id) => void sessions.delete(id),
    });
    const opened: Open = { server, transport, heard: Promise.withResolvers() };
    await server.connect(transport);
    return opened;
  };
  const web = await webServer(async (request) => {
    const id = request.headers.get("mcp-session-id");
    const session = id === null ? await open() : sessions.get(id);
    if (session === undefined) return new Response("no such session", { status: 404 });
    const response = await session.transport.handleRequest(request);
    if (request.method === "GET") session.heard.resolve();
    return response;
  });
  leftovers.push(() => web.close());
  return {
    port: web.port,
    slow: () => gate.called(),
    async log(data) {
      for (const { server, heard } of sessions.values()) {
        await heard.promise;
        await server.sendLoggingMessage({ level: "info", data });
      }
    },
  };
}

describe.each([
  ["our server", ours],
  ["the SDK's server", theirs],
] as const)("by our transport, the SDK's client with %s", (_, far) => {
  interface Stage {
    readonly client: Client;
    readonly http: StreamableHttp;
    readonly far: Far;
    readonly proxy: Proxy;
    readonly logged: unknown[];
    readonly errors: Error[];
    until(condition: () => boolean): Promise<void>;
  }

  async function stage(): Promise<Stage> {
    const server = await far();
    const between = await proxy(server.port);
    const made = await remote("auto");
    const http = new StreamableHttp(`http://127.0.0.1:${between.port}/`, {
      client: made.client,
      limits: { backoff: [1, 10], resumes: 50 },
    });
    const client = new Client({ name: "tests", version: "1" });
    const logged: unknown[] = [];
    const errors: Error[] = [];
    let waiting: { readonly until: () => boolean; readonly resolve: () => void }[] = [];
    const look = (): void => {
      waiting = waiting.filter(({ until, resolve }) => (until() ? resolve() : true));
    };
    client.setNotificationHandler("notifications/message", ({ params }) => {
      logged.push(params.data);
      look();
    });
    Object.assign(client, { onerror: (error: Error) => errors.push(error) });
    leftovers.push(
      () => between.close(),
      () => made.close(),
      () => client.close(),
    );
    await client.connect(http);
    const until = (condition: () => boolean): Promise<void> =>
      new Promise((resolve) => {
        waiting.push({ until: condition, resolve });
        look();
      });
    return { client, http, far: server, proxy: between, logged, errors, until };
  }

  it("gets the answer of a call whose response was cut", async () => {
    const { client, far: server, proxy: between, errors } = await stage();
    let primed = (): void => {};
    const cuttable = new Promise<void>((resolve) => (primed = resolve));
    const called = client.callTool({ name: "slow" }, { onresumptiontoken: () => primed() });
    const [go] = await Promise.all([server.slow(), cuttable]);
    between.cut();
    go();
    expect(await called).toMatchObject({ content: [{ type: "text", text: "at last" }] });
    expect(errors).toEqual([]);
  });

  it("hears each notification once and in order, however often its stream is cut", async () => {
    const { far: server, proxy: between, logged, until } = await stage();
    await server.log(0);
    await until(() => logged.length === 1);
    for (let n = 1; n < 100; n++) {
      await server.log(n);
      if (n % 20 !== 0) continue;
      await until(() => logged.length === n + 1);
      between.cut();
    }
    await until(() => logged.length >= 100);
    expect(logged).toEqual(Array.from({ length: 100 }, (_one, n) => n));
    expect(between.cuts).toBeGreaterThan(2);
  });

  it("goes on in another session when its own was ended from elsewhere", async () => {
    const { client, http, far: server, logged, until, errors } = await stage();
    await server.log("before");
    await until(() => logged.length === 1);
    const first = http.sessionId!;
    let reopened = 0;
    Object.assign(http, { onreopen: () => reopened++ });
    const headers = { "mcp-session-id": first, "mcp-protocol-version": "2025-11-25" };
    const url = `http://127.0.0.1:${server.port}/`;
    const deleted = await fetch(url, { method: "DELETE", headers });
    await deleted.body?.cancel();
    expect(deleted.ok).toBe(true);
    await Promise.all([client.ping(), client.listTools(), client.ping()]);
    expect(http.sessionId).not.toBe(first);
    expect(reopened).toBe(1);
    const called = client.callTool({ name: "slow" });
    (await server.slow())();
    expect(await called).toMatchObject({ content: [{ text: "at last" }] });
    // What is no answer is heard in the new session, too.
    await server.log("after");
    await until(() => logged.includes("after"));
    expect(errors).toEqual([]);
  });
});
